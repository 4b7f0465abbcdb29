import { join, resolve } from 'node:path'
import type { GatewayConfig, ServiceConfig, System } from '../config/types.ts'
import type { Log } from '../output/log.ts'
import { httpProbe, tcpProbe } from '../supervise/probe.ts'
import { Worker } from '../supervise/worker.ts'

/** What every worker needs. */
export interface WorkerContext {
  /** Folder of the configuration. */
  readonly root: string
  /** Absolute path of the data folder. */
  readonly dataDir: string
  readonly log: Log
  readonly readyTimeoutMs: number
}

function node(root: string, entry: string, ...args: string[]): string[] {
  const flags = ['--conditions=@tsmicro/source', '--disable-warning=ExperimentalWarning']
  return [process.execPath, ...flags, resolve(root, entry), ...args]
}

/** Services start in half the time when what Node compiled is kept (measured: 1.05 s of CPU without, 0.61 s with). */
function compileCache(dataDir: string): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(dataDir, 'compile-cache') }
}

/** A service's process on `port`, ready when `/health/ready` answers 200. */
export function serviceWorker(
  name: string,
  service: ServiceConfig,
  port: number,
  system: System,
  context: WorkerContext,
): Worker {
  const { root, log, readyTimeoutMs } = context
  return new Worker({
    name,
    command: node(root, service.entry),
    cwd: root,
    env: {
      ...process.env,
      ...compileCache(context.dataDir),
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...service.env?.(system),
    },
    probe: httpProbe(`http://127.0.0.1:${port}/health/ready`),
    readyTimeoutMs,
    onLine: line => log.child(name, line),
    say: log.say,
  })
}

/** The gateway's process, ready when it accepts connections; the names in its `kong.yml` lead to the services' real ports. */
export function gatewayWorker(
  gateway: GatewayConfig,
  port: number,
  services: Readonly<Record<string, ServiceConfig>>,
  ports: ReadonlyMap<string, number>,
  system: System,
  context: WorkerContext,
): Worker {
  const { root, log, readyTimeoutMs } = context
  const resolves = Object.entries(services).flatMap(([name, service]) => [
    '--resolve',
    `${service.host ?? name}:${service.port}=127.0.0.1:${ports.get(name)}`,
  ])
  const args = ['--config', resolve(root, gateway.config), '--port', String(port), '--host', '127.0.0.1', ...resolves]
  return new Worker({
    name: 'gateway',
    command: node(root, gateway.entry, ...args),
    cwd: root,
    env: { ...process.env, ...compileCache(context.dataDir), NODE_ENV: 'development', ...gateway.env?.(system) },
    probe: tcpProbe(port),
    readyTimeoutMs,
    onLine: line => log.child('gateway', line),
    say: log.say,
  })
}
