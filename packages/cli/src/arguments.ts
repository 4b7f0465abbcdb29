import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'

export const HELP = `Usage: tsmicro start [options]

Starts a whole system for development: what it needs (NATS, PostgreSQL, documents), its services and its gateway.
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
  | { readonly help: true }
  | { readonly help: false; readonly config: string; readonly fresh: boolean }

/** @throws UsageError for anything unknown */
export function readArguments(args: readonly string[]): Command {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        fresh: { type: 'boolean', default: false },
        config: { type: 'string', default: 'tsmicro.config.ts' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { help: true }
    const [command, ...rest] = positionals
    if (command === undefined) throw new UsageError('a command is missing: tsmicro start')
    if (command !== 'start' || rest.length > 0) throw new UsageError(`unknown command "${positionals.join(' ')}"`)
    return { help: false, config: values.config, fresh: values.fresh }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(error instanceof Error ? (error.message.split('. ', 1)[0] ?? error.message) : String(error))
  }
}
