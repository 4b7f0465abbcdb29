import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Found } from './found.ts'
import { askVersion, isAtLeast } from './version.ts'

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
 * What was found but is not good enough is told in `problems`.
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
    const binary = await executable(join(folder, program))
    if (binary === undefined || tried.has(binary)) continue
    tried.add(binary)
    const answer = await askVersion(binary)
    if ('problem' in answer) problems.push(answer.problem)
    else if (isAtLeast(answer.version, minimum)) return { source: 'path', binary, version: answer.version }
    else problems.push(`${binary} is ${answer.version.join('.')}, older than ${minimum.join('.')}`)
  }
  return undefined
}
