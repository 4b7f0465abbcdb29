import { writeTokenFile } from '../admin/access.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { type GatewayLog, jsonLog } from '../server/log.ts'
import { type CommandLine, helpText, readArguments, UsageError } from './arguments.ts'

/** Ctrl-C may arrive twice: from the terminal, and from a parent process that forwards it. */
const SAME_KEYSTROKE_MS = 500

export interface GatewayCommandOptions {
  /** The command without its options, for `--help`: `tsmicro gateway run`. */
  readonly usage: string
  /** How error lines begin. */
  readonly name: string
  /** Aborted when the parent process is gone. Has the same effect as SIGTERM. */
  readonly gone?: AbortSignal
}

/**
 * Runs the gateway as a program: reads its options, runs until SIGTERM or SIGINT, and loads its config again on SIGHUP. Logs JSON lines
 * on stdout, prints errors as one line on stderr, and never throws.
 *
 * ```ts
 * process.exit(await runGatewayCommand(process.argv.slice(2), { usage: 'gateway', name: 'gateway' }))
 * ```
 *
 * @returns the exit code, for the caller to exit with: 2 for a wrong command line, 1 for any other fault and for a second signal
 */
export async function runGatewayCommand(args: readonly string[], options: GatewayCommandOptions): Promise<number> {
  try {
    return await run(args, options)
  } catch (error) {
    const usage = error instanceof UsageError
    process.stderr.write(`${options.name}: ${textOf(error)}${usage ? ' (see --help)' : ''}\n`)
    return usage ? 2 : 1
  }
}

async function run(args: readonly string[], { usage, gone }: GatewayCommandOptions): Promise<number> {
  const line = readArguments(args)
  const { help, config, port, host, resolve } = line
  if (help) {
    process.stdout.write(helpText(usage))
    return 0
  }
  const log = jsonLog(line => process.stdout.write(line))
  await using resources = new AsyncDisposableStack()
  const admin = await adminOptions(line, resources)
  const nats = process.env.NATS_URL ? { nats: process.env.NATS_URL } : {}
  const vault = line.vault === undefined ? {} : { vault: line.vault }
  const hosts = hostsOf(host, process.env)
  const settings = { config, port, host, resolve, log, ...(hosts && { hosts }) }
  const gateway = await startGateway({ ...settings, ...admin, ...vault, ...nats })
  const { url, adminUrl } = gateway
  log.info({ url, config, pid: process.pid, ...(adminUrl !== undefined && { adminUrl }) }, 'gateway listening')
  const reload = () => reloadConfig(gateway, config, log)
  process.on('SIGHUP', reload)
  try {
    return await untilStopped(gateway, log, gone)
  } finally {
    process.off('SIGHUP', reload)
  }
}

function reloadConfig(gateway: Gateway, config: string, log: GatewayLog): void {
  gateway.reload().then(
    () => log.info({ config }, 'config loaded again'),
    error => log.error({ config }, `config refused, the old one stays in use: ${textOf(error)}`),
  )
}

/** Resolves to 0 if the gateway was closed in order, 1 if a second signal cut that short. */
function untilStopped(gateway: Gateway, log: GatewayLog, gone: AbortSignal | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let stoppingSince: number | undefined
  const stop = (signal: string) => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_KEYSTROKE_MS) resolve(1)
      return
    }
    stoppingSince = performance.now()
    log.info({ signal }, 'gateway draining')
    gateway.close().then(() => {
      log.info({}, 'gateway closed')
      resolve(0)
    }, reject)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  gone?.addEventListener('abort', () => stop('parent gone'), { once: true })
  return promise.finally(() => process.off('SIGTERM', stop).off('SIGINT', stop))
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The token comes from the environment, or is a new one in a file. It is never on the command line, which everybody can read. */
async function adminOptions({ adminPort, adminTokenFile }: CommandLine, resources: AsyncDisposableStack) {
  if (adminPort === undefined) return {}
  const given = process.env.GATEWAY_ADMIN_TOKEN
  if (!given === (adminTokenFile === undefined))
    throw new UsageError(
      given
        ? 'GATEWAY_ADMIN_TOKEN is set: leave --admin-token-file out'
        : '--admin-port needs --admin-token-file FILE, or GATEWAY_ADMIN_TOKEN in the environment',
    )
  const adminToken = given || resources.use(await writeTokenFile(adminTokenFile ?? '')).token
  return { adminPort, adminToken }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * The host names that the gateway answers to: those in `GATEWAY_HOSTS`, separated by commas, and the loopback names; `*` means any.
 * Without the variable, a gateway that only this machine can reach answers to the loopback names. Any other gateway answers to all
 * names, because it cannot know what others call it. Undefined means any.
 */
export function hostsOf(listenOn: string, env: NodeJS.ProcessEnv): readonly string[] | undefined {
  const named = (env.GATEWAY_HOSTS ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  if (named.includes('*')) return undefined
  const isLocal = listenOn === 'localhost' || listenOn === '::1' || /^127\.[\d.]+$/.test(listenOn)
  if (named.length === 0 && !isLocal) return undefined
  const own = isLocal ? [listenOn.includes(':') ? `[${listenOn}]` : listenOn] : []
  return [...new Set([...LOOPBACK, ...own, ...named])]
}
