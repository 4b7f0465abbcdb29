import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadConfig } from './config.ts'
import type { InfraName } from './config-types.ts'
import { CliError, UsageError } from './errors.ts'
import { isLevel, LEVELS, type Level } from './output/levels.ts'

const HELP = `Usage: tsmicro start [options]
       tsmicro restart [SERVICE]
       tsmicro gateway run --config FILE [options]
       tsmicro contracts check|record [options]
       tsmicro events [ACTION] [SERVICE] [options]
       tsmicro explorer --gateway URL [options]
       tsmicro add service|procedure|event NAME [options]
       tsmicro generate [--check]
       tsmicro [--config FILE] COMMAND [arguments of the command]

start runs a whole system for development: its infrastructure (NATS, PostgreSQL, documents), its services and its gateway.
It uses Redis if there is one: at REDIS_URL, or a redis-server of version 6.2 or later on PATH.

restart replaces the instances of the running system (or of one service, or one instance such as auth-2) one by one: the
gateway sends no new requests to an instance, the instance finishes those it has, and when its replacement is ready, the
next one follows. With --replicas 2 or more, no request fails meanwhile.

gateway run runs the gateway alone, with any kong.yml: tsmicro gateway run --help.

contracts says which changes to the contracts break somebody, and records them: tsmicro contracts --help.

events shows how the events of services get on, and sets right what failed: tsmicro events --help.

add writes a new service, procedure or event into the project: tsmicro add --help.

generate writes what follows from tsmicro.config.ts and the contracts, such as the gateway's routes: tsmicro generate --help.

explorer serves a page on this machine that shows and calls every procedure of a system that runs elsewhere; start has one of its
own: tsmicro explorer --help.

Options:
  --fresh           delete the data first
  --replicas N      run N instances of each service (default 1); with 2 or more, the gateway balances the load
  --config FILE     the system to start (default tsmicro.config.ts)
  --help            show this text

Environment:
  DATA_DIR          where to keep the data (default .data)
  GATEWAY_PORT      port of the gateway, 0 for a free one (default 8000)
  GATEWAY_HOSTS     host names the gateway accepts besides localhost, 127.0.0.1 and [::1]: shop.test,*.shop.test; * for any
  EXPLORER          on or off: whether start serves the explorer (default on, but off with NODE_ENV=production)
  LOG_LEVEL         trace, debug, info, warn, error, fatal or silent (default info)
  LIVENESS_SECONDS  a part that does not answer for this long is restarted, PostgreSQL after five times as long;
                    0 = never, for debuggers (default 60)
  NATS_URL, DATABASE_URL, MONGODB_URL, REDIS_URL
                    use these servers instead of starting them
  NO_COLOR          do not use colours
Services and the gateway get LOG_LEVEL, what every program needs (PATH, HOME, TZ …) and the variables that
tsmicro.config.ts names for them (passEnv), but no other variables.

Ctrl-C stops everything in order, a second one immediately.
`

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly config: string }
  | { readonly kind: 'start'; readonly config: string; readonly fresh: boolean; readonly replicas: number }
  /** `service`: a service or an instance; undefined = all. */
  | { readonly kind: 'restart'; readonly service: string | undefined }
  /** The gateway alone. `args`: everything after `gateway run`. */
  | { readonly kind: 'gateway'; readonly args: readonly string[] }
  /** `args`: everything after `contracts`. */
  | { readonly kind: 'contracts'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `events`. */
  | { readonly kind: 'events'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `add`. */
  | { readonly kind: 'add'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `explorer`. */
  | { readonly kind: 'explorer'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `generate`. */
  | { readonly kind: 'generate'; readonly config: string; readonly args: readonly string[] }
  /** A command of the system. `args`: everything after its name. */
  | { readonly kind: 'run'; readonly config: string; readonly name: string; readonly args: readonly string[] }

const OPTIONS = {
  fresh: { type: 'boolean', default: false },
  replicas: { type: 'string' },
  config: { type: 'string', default: 'tsmicro.config.ts' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError for anything unknown, except the commands of the system, which its configuration lists */
export function readArguments(args: readonly string[]): Command {
  const at = commandIndex(args)
  const name = args[at]
  const isOwn = name === undefined || name === 'start' || name === 'restart'
  const { values, positionals } = parse(isOwn ? args : args.slice(0, at))
  const { config, fresh, replicas } = values
  if (values.help) return { kind: 'help', config }
  if (name === undefined) throw new UsageError('a command is missing: tsmicro start')
  if (isOwn && positionals.length > (name === 'restart' ? 2 : 1))
    throw new UsageError(`unknown command "${positionals.join(' ')}"`)
  if (name === 'start') return { kind: 'start', config, fresh, replicas: readReplicas(replicas) }
  if (fresh || replicas !== undefined) throw new UsageError('--fresh and --replicas belong to tsmicro start')
  if (name === 'restart') return { kind: 'restart', service: positionals[1] }
  // Any other `gateway …` may be a command of the system.
  if (name === 'gateway' && args[at + 1] === 'run') return { kind: 'gateway', args: args.slice(at + 2) }
  if (name === 'contracts' || name === 'events' || name === 'add' || name === 'explorer' || name === 'generate')
    return { kind: name, config, args: args.slice(at + 1) }
  return { kind: 'run', config, name, args: args.slice(at + 1) }
}

function readReplicas(text = '1'): number {
  if (!/^[1-9]\d?$/.test(text)) throw new UsageError(`--replicas ${text} is invalid: use a number from 1 to 99`)
  return Number(text)
}

/** The index of the command's name. Options after it may belong to the command. */
function commandIndex(args: readonly string[]): number {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  return tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split(/\.\s/, 1)[0] ?? error.message) : String(error))
  }
}

/** The help text, with the commands of the system in this folder, or the reason why they cannot be listed. */
export async function helpText(configFile: string): Promise<string> {
  if (!existsSync(configFile)) return HELP
  try {
    const commands = Object.entries((await loadConfig(configFile)).config.commands ?? {})
    if (commands.length === 0) return HELP
    const width = Math.max(16, ...commands.map(([name]) => name.length)) + 2
    const lines = commands.map(([name, { description }]) => `  ${name.padEnd(width)}${description}\n`)
    return `${HELP}\nCommands of this system (tsmicro COMMAND --help):\n${lines.join('')}`
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return `${HELP}\nThe commands of this system cannot be listed: ${error.message}\n`
  }
}

/** The settings that `tsmicro start` and `tsmicro restart` read from the environment. */
export interface Environment {
  readonly dataDir: string
  readonly gatewayPort: number
  readonly logLevel: Level
  /** Whether to serve the explorer. */
  readonly explorer: boolean
  /** How long a part may be silent, in milliseconds; 0 = forever. */
  readonly livenessMs: number
  /** Servers to use instead of starting them. */
  readonly urls: Readonly<Partial<Record<InfraName, string>>>
}

/** Reads and checks the environment. An empty variable counts as unset. @throws CliError */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const port = env.GATEWAY_PORT || '8000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new CliError(`GATEWAY_PORT=${port} is not a port number`)
  const logLevel = env.LOG_LEVEL || 'info'
  if (!isLevel(logLevel))
    throw new CliError(`LOG_LEVEL=${logLevel} is invalid: use one of ${Object.keys(LEVELS).join(', ')}`)
  const explorer = env.EXPLORER || (env.NODE_ENV === 'production' ? 'off' : 'on')
  if (explorer !== 'on' && explorer !== 'off') throw new CliError(`EXPLORER=${explorer} is neither on nor off`)
  const liveness = env.LIVENESS_SECONDS || '60'
  if (!/^\d{1,6}$/.test(liveness)) throw new CliError(`LIVENESS_SECONDS=${liveness} is not a number of seconds`)
  return {
    dataDir: env.DATA_DIR || '.data',
    gatewayPort: Number(port),
    logLevel,
    explorer: explorer === 'on',
    livenessMs: Number(liveness) * 1000,
    urls: {
      ...(env.NATS_URL ? { nats: env.NATS_URL } : {}),
      ...(env.DATABASE_URL ? { postgres: env.DATABASE_URL } : {}),
      ...(env.MONGODB_URL ? { documents: env.MONGODB_URL } : {}),
      ...(env.REDIS_URL ? { redis: env.REDIS_URL } : {}),
    },
  }
}
