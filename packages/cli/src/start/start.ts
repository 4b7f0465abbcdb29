import { createPostgresDatabase } from '@tsmicro/infra'
import type { Environment } from '../command-line.ts'
import { keepCompiled } from '../compile-cache.ts'
import type { LoadedConfig } from '../config.ts'
import type { DataFolder } from '../data-folder.ts'
import { contractModules } from '../explorer/contract-modules.ts'
import type { Log } from '../output/log.ts'
import { type Restart, startControl } from '../restart/control.ts'
import { GatewayAdmin } from '../restart/gateway-admin.ts'
import { chooseInstances, replaceOneByOne } from '../restart/one-by-one.ts'
import type { Disk } from '../supervise/disk.ts'
import { watchLiveness } from '../supervise/liveness.ts'
import type { RunningSystem } from '../supervise/running-system.ts'
import type { Development, StartingSystem } from './development.ts'
import { startInfra } from './infra.ts'
import { observerRow } from './observer.ts'
import { firstAddresses, type InstancePlan, planExplorer, planGateway, planInstances } from './plan.ts'
import { prepareNatsUsers } from './secrets.ts'
import { Progress, summarize } from './summary.ts'
import { describeSystem, operatorUrl } from './system.ts'
import { adminTokenFile, explorerWorker, gatewayWorker, serviceWorker, type WorkerContext } from './workers.ts'

/** What starting a system needs. */
export interface StartContext {
  readonly running: RunningSystem
  readonly log: Log
  readonly disk: Disk
  readonly signal: AbortSignal
  /** The number of instances of each service. */
  readonly replicas: number
  readonly development: ((starting: StartingSystem) => Development) | undefined
}

/** Starts a system: the infrastructure, then the services, then the gateway. Adds everything to `running`, even if it throws. */
export async function startSystem(
  { config, root }: LoadedConfig,
  environment: Environment,
  data: DataFolder,
  { running, log, disk, signal, replicas, development }: StartContext,
): Promise<void> {
  const began = Date.now()
  const progress = new Progress(log)
  const readyTimeoutMs = config.readyTimeoutMs ?? 60_000
  const context: WorkerContext = { root, dataDir: data.path, log, readyTimeoutMs, disk }
  try {
    const { gatewayPort, livenessMs } = environment
    const dev = development?.({ config, root, dataDir: data.path, log, livenessMs, signal })
    const hasAdmin = replicas > 1 || dev !== undefined
    const gatewayPlan = config.gateway && (await planGateway(config.gateway, gatewayPort, replicas, hasAdmin))
    const natsUsers = await disk.withRoom(signal, () => prepareNatsUsers(config, data.path))
    const infra = await startInfra(config, environment, data.path, { running, log, progress, natsUsers, disk })
    signal.throwIfAborted()

    const wanted = await planInstances(config.services, replicas)
    const plans = dev ? await dev.place(wanted) : wanted
    const gateway = gatewayPlan && { url: `http://127.0.0.1:${gatewayPlan.port}` }
    const databases = new Set<string>()
    const system = describeSystem(data.path, infra, firstAddresses(plans), gateway, natsUsers, databases)
    await config.prepare?.(system)
    // The configuration may create secrets, which need room on the disk.
    const instances = await disk.withRoom(signal, () =>
      plans.map(plan => ({ ...plan, worker: serviceWorker(plan, system, context) })),
    )
    for (const name of databases) await createPostgresDatabase(system.postgres.url, name)
    running.services.push(...instances.map(({ worker }) => worker))
    await Promise.all(instances.map(({ name, worker, url }) => progress.track(name, worker.start(), () => url)))
    signal.throwIfAborted()

    const admin =
      gatewayPlan?.adminPort === undefined
        ? undefined
        : new GatewayAdmin(`http://127.0.0.1:${gatewayPlan.adminPort}`, adminTokenFile(data.path))
    if (gatewayPlan) {
      const worker = await disk.withRoom(signal, () => gatewayWorker(gatewayPlan, plans, system, context))
      running.gateways.push(worker)
      await progress.track(worker.name, worker.start(), () => system.gateway.url)
      const targets = plans.map(({ target }) => target)
      if (replicas > 1) await admin?.requireTargets(targets, gatewayPlan.config)
    }
    const explorer = await planExplorer(contractModules(config, root), environment.explorer)
    let explorerUrl = explorer?.url
    if (explorer) {
      const worker = explorerWorker(explorer, config, system, context)
      running.gateways.push(worker)
      // The system does not wait for it, and works without it.
      const starting = progress.track(worker.name, worker.start(), () => `http://127.0.0.1:${explorer.port}`)
      starting.catch(error => {
        explorerUrl = undefined
        if (!signal.aborted) log.say(`the explorer does not start: ${String(error)}`)
      })
    }
    const oneByOne: Restart = (wanted, say) =>
      replaceOneByOne(chooseInstances(instances, wanted), { admin, say, signal, readyTimeoutMs })
    const makeWorker = (plan: InstancePlan) => serviceWorker(plan, system, context)
    const [gatewayProcess] = running.gateways
    const started = gatewayPlan && gatewayProcess && { plan: gatewayPlan, worker: gatewayProcess }
    const restart = dev?.follow({ running, instances, makeWorker, gateway: started, admin }) ?? oneByOne
    const about = { nats: operatorUrl(config, system), services: Object.keys(config.services) }
    running.control = await disk.withRoom(signal, () => startControl(data.path, restart, about))
    const watched = [...running.infra, ...running.services, ...running.gateways]
    void disk.watch(signal)
    running.liveness = watchLiveness(watched, { limitMs: environment.livenessMs, say: log.say })
    const tools = await disk.withRoom(signal, () => observerRow(infra.get('nats'), natsUsers))
    const shown = { config, system, instances: plans, infra, tools, explorer: explorerUrl }
    const summary = await summarize(shown, log.paint)
    log.say(`${log.paint('green', '✓')} everything is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`)
    log.say(summary)
    keepCompiled()
  } finally {
    progress.stop()
  }
}
