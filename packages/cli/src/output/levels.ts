/** pino's levels. */
export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: 100 } as const

/** Name of a log level, `silent` included. */
export type Level = keyof typeof LEVELS

/** Whether a text is the name of a level. */
export function isLevel(text: string): text is Level {
  return Object.hasOwn(LEVELS, text)
}

/** The name for pino's number; numbers in between belong to the level below. */
export function levelName(value: number): Level {
  const names: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return names.findLast(name => LEVELS[name] <= value) ?? 'trace'
}
