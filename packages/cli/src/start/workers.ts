import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, childEnvironment, firstReply, NODE_FLAGS } from '@tsmicro/infra'
import { compileCacheIn } from '../compile-cache.ts'
import type { System, SystemConfig } from '../config-types.ts'
import type { Log } from '../output/log.ts'
import type { Disk } from '../supervise/disk.ts'
import { Worker } from '../supervise/worker.ts'
import type { ExplorerPlan, GatewayPlan, InstancePlan } from './plan.ts'

/** What every worker needs. */
export interface WorkerContext {
  /** The folder of the configuration. */
  readonly root: string
  /** The absolute path of the data folder. */
  readonly dataDir: string
  readonly log: Log
  readonly readyTimeoutMs: number
  readonly disk: Disk
}

/** What differs between the workers. */
interface Program {
  readonly name: string
  readonly entry: string
  /** Asked at each start. */
  readonly args?: () => readonly string[]
  /** The names of the variables that it gets from this process's environment. */
  readonly passEnv: readonly string[]
  readonly env: Readonly<Record<string, string>> | undefined
  readonly port: number
  /** The path of a request that it should always answer. */
  readonly path: string
  readonly probe: () => Promise<boolean>
}

const PROBE_MS = 2000
/** The variables that the gateway itself reads. */
const GATEWAY_SETTINGS = ['GATEWAY_HOSTS']

const get = (port: number, path: string): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`)

function createWorker(program: Program, { root, dataDir, log, readyTimeoutMs, disk }: WorkerContext): Worker {
  const { name, entry, args, port, path, probe } = program
  return new Worker({
    name,
    get command() {
      return [process.execPath, ...NODE_FLAGS, resolve(root, entry), ...(args?.() ?? [])]
    },
    cwd: root,
    env: {
      // With its compile cache, Node starts services in half the time (measured: 1.05 s of CPU without, 0.61 s with it).
      NODE_COMPILE_CACHE: compileCacheIn(dataDir),
      ...childEnvironment(process.env, ['LOG_LEVEL', ...program.passEnv]),
      NODE_ENV: 'development',
      ...program.env,
    },
    probe,
    answers: withinMs => answers({ port, greeting: get(port, path) }, withinMs),
    readyTimeoutMs,
    disk,
    onLine: line => log.child(name, line),
    say: log.say,
  })
}

/** The process of an instance. It is ready when `/health/ready` answers 200. */
export function serviceWorker({ name, service, port }: InstancePlan, system: System, context: WorkerContext): Worker {
  const { entry, passEnv = [] } = service
  const env = { HOST: '127.0.0.1', PORT: String(port), ...service.env?.(system) }
  const probe = async () => {
    const reply = await firstReply({ port, greeting: get(port, '/health/ready') }, PROBE_MS)
    return reply?.toString('latin1').startsWith('HTTP/1.1 200 ') ?? false
  }
  return createWorker({ name, entry, passEnv, env, port, path: '/health', probe }, context)
}

/** The file in which the gateway writes the token of its admin API, for its owner alone. */
export function adminTokenFile(dataDir: string): string {
  return join(dataDir, 'gateway-admin-token')
}

/** The process of the gateway. It is ready when it accepts connections. The hosts in its `kong.yml` resolve to the instances' real ports. */
export function gatewayWorker(
  { gateway, config, port, adminPort }: GatewayPlan,
  instances: readonly InstancePlan[],
  system: System,
  context: WorkerContext,
): Worker {
  const resolves = () => instances.flatMap(({ target, port: to }) => ['--resolve', `${target}=127.0.0.1:${to}`])
  const tokenFile = adminTokenFile(context.dataDir)
  const admin = adminPort === undefined ? [] : ['--admin-port', String(adminPort), '--admin-token-file', tokenFile]
  const fixed = ['--config', resolve(context.root, config), '--port', String(port), '--host', '127.0.0.1']
  const program: Program = {
    ...{ name: 'gateway', entry: gateway.entry, args: () => [...fixed, ...admin, ...resolves()], port, path: '/' },
    passEnv: [...GATEWAY_SETTINGS, ...(gateway.passEnv ?? [])],
    env: gateway.env?.(system),
    probe: () => answers({ port }, PROBE_MS),
  }
  return createWorker(program, context)
}

/** The process of the explorer. It is ready when it accepts connections. */
export function explorerWorker(
  { port, token, contracts }: ExplorerPlan,
  { explorer: { signIn } = {}, gateway, infra, nats }: SystemConfig,
  system: System,
  context: WorkerContext,
): Worker {
  const ways = gateway
    ? ['--gateway', system.gateway.url]
    : Object.entries(system.services).flatMap(([name, { url }]) => ['--service', `${name}=${url}`])
  const args = [
    ...contracts.flatMap(path => ['--contracts', path]),
    ...[...ways, '--port', String(port)],
    ...(signIn ? ['--sign-in', signIn.procedure, '--sign-in-token', signIn.token] : []),
  ]
  // With users of its own, a system has one that may call no more than people may.
  const userOf = () =>
    nats === undefined ? system.nats : nats.users.includes('explorer') ? system.natsAs('explorer') : undefined
  const user = infra.includes('nats') ? userOf() : undefined
  const program: Program = {
    ...{
      name: 'explorer',
      entry: fileURLToPath(import.meta.resolve('@tsmicro/explorer/main')),
      args: () => args,
      port,
      path: '/',
    },
    passEnv: [],
    env: { EXPLORER_TOKEN: token, ...(user ? { NATS_URL: user.url } : {}) },
    probe: () => answers({ port }, PROBE_MS),
  }
  return createWorker(program, context)
}
