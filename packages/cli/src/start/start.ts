import type { Environment } from '../config/environment.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { DataFolder } from '../data/folder.ts'
import type { Log } from '../output/log.ts'
import { Progress } from '../output/progress.ts'
import type { Crew } from '../supervise/crew.ts'
import { startInfra } from './infra.ts'
import { prepareNatsUsers } from './nats-users.ts'
import { gatewayPort, servicePorts } from './ports.ts'
import { summarize } from './summary.ts'
import { describeSystem } from './system.ts'
import { gatewayWorker, serviceWorker, type WorkerContext } from './workers.ts'

/** Brings a system up: embedded parts, then services, then the gateway. Everything it starts is in `crew`, also when it throws. */
export async function startSystem(
  { config, root }: LoadedConfig,
  environment: Environment,
  data: DataFolder,
  { crew, log, signal }: { crew: Crew; log: Log; signal: AbortSignal },
): Promise<void> {
  const began = Date.now()
  const progress = new Progress(log)
  const context: WorkerContext = { root, dataDir: data.path, log, readyTimeoutMs: config.readyTimeoutMs ?? 60_000 }
  try {
    const port = config.gateway === undefined ? undefined : await gatewayPort(environment.gatewayPort)
    const natsUsers = config.nats && (await prepareNatsUsers(config.nats, data.path))
    const infra = await startInfra(config, environment, data.path, { crew, log, progress, natsUsers })
    signal.throwIfAborted()

    const ports = await servicePorts(config.services)
    const urls = [...ports].map(([name, number]) => [name, { url: `http://127.0.0.1:${number}` }] as const)
    const gateway = port === undefined ? undefined : { url: `http://127.0.0.1:${port}` }
    const system = describeSystem(data.path, infra, Object.fromEntries(urls), gateway, natsUsers)
    for (const [name, service] of Object.entries(config.services))
      crew.services.push(serviceWorker(name, service, ports.get(name) ?? service.port, system, context))
    await Promise.all(
      crew.services.map(worker =>
        progress.track(worker.name, worker.start(), () => system.services[worker.name]?.url ?? ''),
      ),
    )
    signal.throwIfAborted()

    if (config.gateway !== undefined && port !== undefined) {
      const worker = gatewayWorker(config.gateway, port, config.services, ports, system, context)
      crew.gateways.push(worker)
      await progress.track(worker.name, worker.start(), () => system.gateway.url)
    }
    log.say(`${log.paint('green', '✓')} everything is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`)
    log.say(summarize(config, system, infra, log.paint))
  } finally {
    progress.stop()
  }
}
