import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'

export const HELP = `Usage: tsmicro start [options]
       tsmicro [--config FILE] COMMAND [arguments of the command]

start runs a whole system for development: what it needs (NATS, PostgreSQL, documents), its services and its gateway.
Redis is used where there is one: at REDIS_URL, or a redis-server of 6.2 or later on PATH.

Options:
  --fresh           delete the data first
  --config FILE     the system to start (default tsmicro.config.ts)
  --help            this text

Environment:
  DATA_DIR          where the data is kept (default .data)
  GATEWAY_PORT      port of the gateway, 0 for a free one (default 8000)
  LOG_LEVEL         trace, debug, info, warn, error, fatal or silent (default info)
  NATS_URL, DATABASE_URL, MONGODB_URL, REDIS_URL
                    use these servers instead of starting some
  NO_COLOR          no colours

Ctrl-C stops everything in order; a second one at once.
`

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help'; readonly config: string }
  | { readonly kind: 'start'; readonly config: string; readonly fresh: boolean }
  /** A command of the system's own, with everything that stands behind its name. */
  | { readonly kind: 'run'; readonly config: string; readonly name: string; readonly args: readonly string[] }

const OPTIONS = {
  fresh: { type: 'boolean', default: false },
  config: { type: 'string', default: 'tsmicro.config.ts' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError for anything unknown; whether a command of the system's own exists, its configuration says */
export function readArguments(args: readonly string[]): Command {
  const at = commandIndex(args)
  const name = args[at]
  const own = name === undefined || name === 'start'
  const { values, positionals } = parse(own ? args : args.slice(0, at))
  const { config, fresh } = values
  if (values.help) return { kind: 'help', config }
  if (name === undefined) throw new UsageError('a command is missing: tsmicro start')
  if (own && positionals.length > 1) throw new UsageError(`unknown command "${positionals.join(' ')}"`)
  if (own) return { kind: 'start', config, fresh }
  if (fresh) throw new UsageError('--fresh belongs to tsmicro start')
  return { kind: 'run', config, name, args: args.slice(at + 1) }
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
    throw new UsageError(error instanceof Error ? (error.message.split('. ', 1)[0] ?? error.message) : String(error))
  }
}
