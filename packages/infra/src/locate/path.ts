import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'
import type { Found } from './found.ts'
import { askVersion, isAtLeast } from './version.ts'

/** The program behind a path, if it is one. */
async function executable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.X_OK)
    return await realpath(file)
  } catch {
    return undefined
  }
}

/**
 * Looks for a program of at least `minimum` on PATH and in `folders`.
 * What was found but is not good enough is told in `problems`. Links are not followed in the answer: a program may be
 * one of several in a file, and know which by its name (Debian's redis-server is such a link).
 */
export async function findOnPath(
  program: string,
  minimum: readonly [number, number],
  folders: readonly string[],
  problems: string[],
): Promise<Found | undefined> {
  const tried = new Set<string>()
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...folders]) {
    if (folder === '') continue
    const binary = resolve(folder, program)
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
