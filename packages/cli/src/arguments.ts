import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'

export const HELP = `Usage: tsmicro start [options]
       tsmicro restart [SERVICE]
       tsmicro gateway run --config FILE [options]
       tsmicro [--config FILE] COMMAND [arguments of the command]

start runs a whole system for development: what it needs (NATS, PostgreSQL, documents), its services and its gateway.
Redis is used where there is one: at REDIS_URL, or a redis-server of 6.2 or later on PATH.

restart replaces the instances of the running system (or of one service, or one instance such as auth-2) one by one: the
gateway sends nothing more to an instance, it finishes what it has, and the next has its turn when the new one is ready.
With --replicas 2 or more no request fails meanwhile.

gateway run runs the gateway alone, with any kong.yml: tsmicro gateway run --help.

Options:
  --fresh           delete the data first
  --replicas N      so many instances of each service (default 1); from 2 on behind the gateway's load balancing
  --config FILE     the system to start (default tsmicro.config.ts)
  --help            this text

Environment:
  DATA_DIR          where the data is kept (default .data)
  GATEWAY_PORT      port of the gateway, 0 for a free one (default 8000)
  GATEWAY_HOSTS     names that the gateway answers to beside localhost, 127.0.0.1 and [::1]: shop.test,*.shop.test; * for any
  LOG_LEVEL         trace, debug, info, warn, error, fatal or silent (default info)
  LIVENESS_SECONDS  a part that says nothing for so long is ended and started again, PostgreSQL after five times as
                    long; 0 = never, for debuggers (default 60)
  NATS_URL, DATABASE_URL, MONGODB_URL, REDIS_URL
                    use these servers instead of starting some
  NO_COLOR          no colours
Services and the gateway are given LOG_LEVEL, what programs need to run (PATH, HOME, TZ …) and the variables that
tsmicro.config.ts names for them (passEnv), nothing else.

Ctrl-C stops everything in order; a second one at once.
`

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly config: string }
  | { readonly kind: 'start'; readonly config: string; readonly fresh: boolean; readonly replicas: number }
  /** `service`: a service or one instance; undefined = all. */
  | { readonly kind: 'restart'; readonly service: string | undefined }
  /** The gateway alone, with everything that stands behind `gateway run`. */
  | { readonly kind: 'gateway'; readonly args: readonly string[] }
  /** A command of the system's own, with everything that stands behind its name. */
  | { readonly kind: 'run'; readonly config: string; readonly name: string; readonly args: readonly string[] }

const OPTIONS = {
  fresh: { type: 'boolean', default: false },
  replicas: { type: 'string' },
  config: { type: 'string', default: 'tsmicro.config.ts' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError for anything unknown; whether a command of the system's own exists, its configuration says */
export function readArguments(args: readonly string[]): Command {
  const at = commandIndex(args)
  const name = args[at]
  const own = name === undefined || name === 'start' || name === 'restart'
  const { values, positionals } = parse(own ? args : args.slice(0, at))
  const { config, fresh, replicas } = values
  if (values.help) return { kind: 'help', config }
  if (name === undefined) throw new UsageError('a command is missing: tsmicro start')
  if (name === 'restart' && positionals.length < 3) {
    if (fresh || replicas !== undefined) throw new UsageError('--fresh and --replicas belong to tsmicro start')
    return { kind: 'restart', service: positionals[1] }
  }
  if (own && positionals.length > 1) throw new UsageError(`unknown command "${positionals.join(' ')}"`)
  if (own) return { kind: 'start', config, fresh, replicas: readReplicas(replicas) }
  if (fresh || replicas !== undefined) throw new UsageError('--fresh and --replicas belong to tsmicro start')
  // Any other `gateway …` may be a command of the system.
  if (name === 'gateway' && args[at + 1] === 'run') return { kind: 'gateway', args: args.slice(at + 2) }
  return { kind: 'run', config, name, args: args.slice(at + 1) }
}

function readReplicas(text = '1'): number {
  if (!/^[1-9]\d?$/.test(text)) throw new UsageError(`--replicas ${text} is no number from 1 to 99`)
  return Number(text)
}

/** Where the command's name stands; behind it an option may be anybody's. */
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
