import type { Environment } from '../config/environment.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type Restart, startControl } from '../control/server.ts'
import type { DataFolder } from '../data/folder.ts'
import type { Log } from '../output/log.ts'
import { Progress } from '../output/progress.ts'
import { GatewayAdmin } from '../restart/gateway-admin.ts'
import { chooseInstances, replaceOneByOne } from '../restart/one-by-one.ts'
import { requireTargets } from '../restart/require-targets.ts'
import type { Crew } from '../supervise/crew.ts'
import type { Disk } from '../supervise/disk.ts'
import { watchLiveness } from '../supervise/liveness.ts'
import { planGateway } from './gateway-plan.ts'
import { startInfra } from './infra.ts'
import { firstAddresses, planInstances } from './instances.ts'
import { prepareNatsUsers } from './nats-users.ts'
import { summarize } from './summary.ts'
import { describeSystem } from './system.ts'
import { adminTokenFile, gatewayWorker, serviceWorker, type WorkerContext } from './workers.ts'

/** How a system is to be brought up. */
export interface StartContext {
  readonly crew: Crew
  readonly log: Log
  readonly disk: Disk
  readonly signal: AbortSignal
  /** Instances of each service. */
  readonly replicas: number
}

/** Brings a system up: embedded parts, then services, then the gateway. Everything it starts is in `crew`, also when it throws. */
export async function startSystem(
  { config, root }: LoadedConfig,
  environment: Environment,
  data: DataFolder,
  { crew, log, disk, signal, replicas }: StartContext,
): Promise<void> {
  const began = Date.now()
  const progress = new Progress(log)
  const readyTimeoutMs = config.readyTimeoutMs ?? 60_000
  const context: WorkerContext = { root, dataDir: data.path, log, readyTimeoutMs, disk }
  try {
    const gatewayPlan = config.gateway && (await planGateway(config.gateway, environment.gatewayPort, replicas))
    const natsUsers = await disk.withRoom(signal, () => prepareNatsUsers(config, data.path))
    const infra = await startInfra(config, environment, data.path, { crew, log, progress, natsUsers, disk })
    signal.throwIfAborted()

    const plans = await planInstances(config.services, replicas)
    const gateway = gatewayPlan && { url: `http://127.0.0.1:${gatewayPlan.port}` }
    const system = describeSystem(data.path, infra, firstAddresses(plans), gateway, natsUsers)
    // The configuration may make secrets on the way.
    const instances = await disk.withRoom(signal, () =>
      plans.map(plan => ({ ...plan, worker: serviceWorker(plan, system, context) })),
    )
    crew.services.push(...instances.map(({ worker }) => worker))
    await Promise.all(instances.map(({ name, worker, url }) => progress.track(name, worker.start(), () => url)))
    signal.throwIfAborted()

    const admin =
      gatewayPlan?.adminPort === undefined
        ? undefined
        : new GatewayAdmin(`http://127.0.0.1:${gatewayPlan.adminPort}`, adminTokenFile(data.path))
    if (gatewayPlan) {
      const worker = await disk.withRoom(signal, () => gatewayWorker(gatewayPlan, plans, system, context))
      crew.gateways.push(worker)
      await progress.track(worker.name, worker.start(), () => system.gateway.url)
      if (admin) await requireTargets(admin, plans, gatewayPlan.config)
    }
    const restart: Restart = (wanted, say) =>
      replaceOneByOne(chooseInstances(instances, wanted), { admin, say, signal, readyTimeoutMs })
    crew.control = await disk.withRoom(signal, () => startControl(data.path, restart))
    const watched = [...crew.infra, ...crew.services, ...crew.gateways]
    void disk.watch(signal)
    crew.liveness = watchLiveness(watched, { limitMs: environment.livenessMs, say: log.say })
    log.say(`${log.paint('green', '✓')} everything is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`)
    log.say(summarize(config, system, plans, infra, log.paint))
  } finally {
    progress.stop()
  }
}
