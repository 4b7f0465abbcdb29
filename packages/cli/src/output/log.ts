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
      const lines = readable(line, options.level, paint)
      if (lines.length > 0) print(name, lines)
    },
    leveled: (name, level, line) => {
      if (isShown(level, options.level)) print(name, [sanitize(line)])
    },
    say: text => options.write(`${text}\n`),
  }
}

/** The lines to show for one of a child's; none when it is not important enough. What cannot be made readable is shown as it is. */
function readable(line: string, threshold: Level, paint: Paint): readonly string[] {
  try {
    const entry = parsePino(line)
    if (entry === undefined) return [sanitize(line)]
    return isShown(entry.level, threshold) ? renderEntry(entry, paint) : []
  } catch {
    // JSON that nests too deep for this thread's stack, say. A child's log must not end its supervisor.
    return [sanitize(line)]
  }
}
