import { styleText } from 'node:util'

/** A colour or weight of the terminal. */
export type Style = Parameters<typeof styleText>[0]

/** Paints text, or leaves it alone. */
export type Paint = (style: Style, text: string) => string

/** Colours only for a terminal, and never against the wish of NO_COLOR (https://no-color.org) unless FORCE_COLOR asks for them. */
export function choosePaint(isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}

const PALETTE: readonly Style[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'cyanBright', 'magentaBright']

/** Gives each name a colour, the same one every time. */
export function colourOf(): (name: string) => Style {
  const given = new Map<string, Style>()
  return name => {
    const style = given.get(name) ?? PALETTE[given.size % PALETTE.length] ?? 'white'
    given.set(name, style)
    return style
  }
}
