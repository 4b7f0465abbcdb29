import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { childEnvironment } from '../process/environment.ts'

const run = promisify(execFile)

/** First version number in a text: `[18, 4]`. */
export function parseVersion(text: string): readonly [major: number, minor: number] | undefined {
  const match = /(\d+)(?:\.(\d+))?/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2] ?? 0)]
}

/** Whether `version` is at least `minimum`, by major and minor number. */
export function isAtLeast(version: readonly [number, number], minimum: readonly [number, number]): boolean {
  return version[0] > minimum[0] || (version[0] === minimum[0] && version[1] >= minimum[1])
}

/** What `binary --version` says, or why it cannot be run. */
export async function askVersion(
  binary: string,
  env: NodeJS.ProcessEnv = childEnvironment(),
): Promise<{ version: readonly [number, number] } | { problem: string }> {
  try {
    const { stdout, stderr } = await run(binary, ['--version'], { env, timeout: 10_000 })
    const version = parseVersion(stdout + stderr)
    return version === undefined ? { problem: `${binary} --version shows no version` } : { version }
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    return { problem: `${binary} cannot be run${text === '' ? '' : ` (${text.split('\n')[0]})`}` }
  }
}
