import type { InfraName } from '../config-types.ts'

/** The levels of pino. */
export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 100 } as const

/** The name of a log level, including `silent`. */
export type Level = keyof typeof LEVELS

/** Whether a text is the name of a level. */
export function isLevel(text: string): text is Level {
  return Object.hasOwn(LEVELS, text)
}

/** The name of the level with this number of pino's. Numbers in between belong to the level below. */
export function levelName(value: number): Level {
  const names: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return names.findLast(name => LEVELS[name] <= value) ?? 'trace'
}

const NATS: Record<string, Level> = {
  TRC: 'trace',
  DBG: 'debug',
  INF: 'debug',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'fatal',
}
// The client already gets a statement's ERROR, such as a duplicate key, so the log does not need it.
const POSTGRES: Record<string, Level> = { WARNING: 'warn', FATAL: 'warn', PANIC: 'fatal' }

// Redis also prints greetings at its highest level, `#`, and advice on the machine's settings, which a development system does not need.
function redisLevel(line: string): Level {
  const text = /^\d+:[A-Z] .{20,30} # (?!WARNING )(.*)$/.exec(line)?.[1]
  return text !== undefined && /error|fail|fatal|unable|can't|cannot|corrupt|denied/i.test(text) ? 'warn' : 'debug'
}

/** The level of a line of an embedded server. Its everyday messages count as `debug`. */
export function infraLevel(part: InfraName, line: string, stream: 'stdout' | 'stderr'): Level {
  switch (part) {
    case 'nats':
      // Only its owner can read its configuration, so hashing the passwords would protect nothing.
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
