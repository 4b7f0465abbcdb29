import type { InfraName } from '../config/types.ts'
import type { Level } from './levels.ts'

const NATS: Record<string, Level> = {
  TRC: 'trace',
  DBG: 'debug',
  INF: 'debug',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'fatal',
}
// A statement's ERROR is told to the client that sent it (a unique key that was there already, say): no news for the log.
const POSTGRES: Record<string, Level> = { WARNING: 'warn', FATAL: 'warn', PANIC: 'fatal' }

// Its highest level, `#`, has every greeting, too; and advice on the machine's settings is not for a development system.
function redisLevel(line: string): Level {
  const text = /^\d+:[A-Z] .{20,30} # (?!WARNING )(.*)$/.exec(line)?.[1]
  return text !== undefined && /error|fail|fatal|unable|can't|cannot|corrupt|denied/i.test(text) ? 'warn' : 'debug'
}

/** How much a line of an embedded server matters. Their everyday talk counts as `debug`. */
export function infraLevel(part: InfraName, line: string, stream: 'stdout' | 'stderr'): Level {
  switch (part) {
    case 'nats':
      // Its configuration is readable by its owner only; hashing the passwords would keep nothing from anybody.
      if (line.endsWith('Plaintext passwords detected, use nkeys or bcrypt')) return 'debug'
      return NATS[/ \[([A-Z]{3})\] /.exec(line)?.[1] ?? ''] ?? 'debug'
    case 'postgres':
      return POSTGRES[/\] ([A-Z]+): /.exec(line)?.[1] ?? ''] ?? 'debug'
    case 'redis':
      return redisLevel(line)
    case 'documents':
      return stream === 'stderr' ? 'warn' : 'debug'
  }
}
