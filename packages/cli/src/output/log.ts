import { choosePaint, colourOf, type Paint } from './colour.ts'
import type { Level } from './levels.ts'
import { isShown, parsePino, renderEntry, sanitize } from './pino.ts'

/** The one log of everything that runs, and the supervisor's own words. */
export interface Log {
  readonly paint: Paint
  /** A line of a child: pino's JSON made readable, anything else as it is, behind a coloured name. */
  child(name: string, line: string): void
  /** A line of a child that is not pino's, with the level its own format gives it. */
  leveled(name: string, level: Level, line: string): void
  /** The supervisor's own words. */
  say(text: string): void
}

/** Writes to `write`; `width` is the width of the longest name. */
export function createLog(options: {
  write: (text: string) => void
  level: Level
  isTerminal: boolean
  env: NodeJS.ProcessEnv
  width?: number
}): Log {
  const paint = choosePaint(options.isTerminal, options.env)
  const colour = colourOf()
  const prefix = (name: string) => `${paint(colour(name), name.padEnd(options.width ?? 9))} ${paint('dim', '│')} `
  const print = (name: string, lines: readonly string[]) =>
    options.write(lines.map(line => `${prefix(name)}${line}\n`).join(''))
  return {
    paint,
    child: (name, line) => {
      const entry = parsePino(line)
      if (entry === undefined) print(name, [sanitize(line)])
      else if (isShown(entry.level, options.level)) print(name, renderEntry(entry, paint))
    },
    leveled: (name, level, line) => {
      if (isShown(level, options.level)) print(name, [sanitize(line)])
    },
    say: text => options.write(`${text}\n`),
  }
}
