import { type Gateway, startGateway } from '../gateway.ts'
import { jsonLog } from '../server/json-log.ts'
import type { GatewayLog } from '../server/log.ts'
import { adminSettings } from './admin.ts'
import { helpText, readArguments, UsageError } from './arguments.ts'
import { hostsOf } from './hosts.ts'

/** Ctrl-C may arrive twice: from the terminal, and once more from a parent that forwards it. */
const SAME_KEYSTROKE_MS = 500

export interface GatewayCommandOptions {
  /** What is typed in front of the options, for `--help`: `tsmicro gateway run`. */
  readonly usage: string
  /** What error lines begin with. */
  readonly name: string
  /** Aborted when whoever started it is gone: as SIGTERM. */
  readonly gone?: AbortSignal
}

/**
 * The gateway as a program: reads its flags, runs until SIGTERM or SIGINT, loads its config anew on SIGHUP; JSON lines on
 * stdout. Prints faults as one line on stderr and never throws.
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
  await using admin = await adminSettings(line, process.env)
  const nats = process.env.NATS_URL ? { nats: process.env.NATS_URL } : {}
  const vault = line.vault === undefined ? {} : { vault: line.vault }
  const hosts = hostsOf(host, process.env)
  const settings = { config, port, host, resolve, log, ...(hosts && { hosts }) }
  const gateway = await startGateway({ ...settings, ...admin.options, ...vault, ...nats })
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
    () => log.info({ config }, 'config loaded anew'),
    error => log.error({ config }, `config refused, the old one goes on: ${textOf(error)}`),
  )
}

/** 0 when it was closed in order, 1 when there was no patience for that. */
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
