import { styleText } from 'node:util'
import type { Level } from './levels.ts'
import { isShown, type Paint, parsePino, renderEntry, type Style, sanitize } from './pino.ts'

/** The common log of everything that runs, and of the supervisor. */
export interface Log {
  readonly paint: Paint
  /** Prints a line of a child after its coloured name. JSON of pino is made readable, anything else is printed as it is. */
  child(name: string, line: string): void
  /** Prints a line of a child that does not use pino, if its level is high enough. */
  leveled(name: string, level: Level, line: string): void
  /** Prints a message of the supervisor. */
  say(text: string): void
}

/** @param options `width`: the length of the longest name */
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

/** The lines to print for a line of a child: none if its level is too low, and the line itself if it cannot be made readable. */
function readable(line: string, threshold: Level, paint: Paint): readonly string[] {
  try {
    const entry = parsePino(line)
    if (entry === undefined) return [sanitize(line)]
    return isShown(entry.level, threshold) ? renderEntry(entry, paint) : []
  } catch {
    // For example JSON that is nested too deeply for the stack. A child's log must not end its supervisor.
    return [sanitize(line)]
  }
}

/** Uses colours only for a terminal, and not with NO_COLOR (https://no-color.org), unless FORCE_COLOR asks for them. */
export function choosePaint(isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}

const PALETTE: readonly Style[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'cyanBright', 'magentaBright']

/** Assigns a colour to each name. */
function colourOf(): (name: string) => Style {
  const given = new Map<string, Style>()
  return name => {
    const style = given.get(name) ?? PALETTE[given.size % PALETTE.length] ?? 'white'
    given.set(name, style)
    return style
  }
}
