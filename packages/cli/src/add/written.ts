import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NODE_FLAGS } from '@tsmicro/infra'
import { recordedContracts } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Found } from './find-service.ts'
import type { Project } from './project.ts'
import { type Insertion, withInsertions } from './source.ts'

/** A file of the project, by its path there, as it was read and as it shall be. */
export interface Change {
  readonly file: string
  readonly before: string
  readonly text: string
}

/** What a generator writes: whole files, by their paths in the project, and edits. */
export interface Written {
  readonly files: Readonly<Record<string, string>>
  readonly edited: readonly Change[]
}

/** @throws CliError if that is no longer TypeScript */
export function change({ file, text }: Pick<Found, 'file' | 'text'>, insertions: readonly Insertion[]): Change {
  return { file, before: text, text: withInsertions(file, text, insertions) }
}

/** @throws CliError if a file is there that would be overwritten, or an edited one is not as it was: then nothing is written */
export async function writeAll({ root }: Project, { files, edited }: Written, write: (text: string) => void) {
  refuseTaken(root, files)
  for (const { file, before } of edited)
    if ((await readFile(join(root, file), 'utf8')) !== before)
      throw new CliError(`${file} has changed meanwhile: nothing was changed, try again`)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { flag: 'wx' })
    write(`+ ${path}\n`)
  }
  for (const { file, text } of edited) {
    await replace(await realpath(join(root, file)), text)
    write(`~ ${file}\n`)
  }
  await format(root, [...Object.keys(files), ...edited.map(({ file }) => file)])
}

/** @throws CliError if one of the files exists */
export function refuseTaken(root: string, files: Readonly<Record<string, string>>): void {
  const taken = Object.keys(files).filter(path => existsSync(join(root, path)))
  if (taken.length > 0) throw new CliError(`${taken.join(', ')} exist already: nothing was changed`)
}

/** At once: whoever reads it, such as `tsmicro dev`, never sees half of it. */
async function replace(path: string, text: string): Promise<void> {
  const { mode } = await stat(path)
  const next = `${path}.${process.pid}.tmp`
  await writeFile(next, text, { mode })
  await rename(next, path)
}

/** By the project's own formatter, if it has one; what is written has the form of biome's without semicolons. */
async function format(root: string, paths: readonly string[]): Promise<void> {
  if (!existsSync(join(root, 'biome.json')) && !existsSync(join(root, 'biome.jsonc'))) return
  try {
    const biome = createRequire(join(root, 'package.json')).resolve('@biomejs/biome/bin/biome')
    await promisify(execFile)(process.execPath, [biome, 'check', '--write', ...paths.filter(isFormatted)], {
      cwd: root,
    })
  } catch {
    // Its complaints are those of the project's own check, which says them better.
  }
}

const isFormatted = (path: string) => /\.(ts|json)$/.test(path)

/** Brings in step what follows from the definition, in a process of its own, as the definition has just changed. */
export async function regenerate({ root, configFile, config }: Project, write: (text: string) => void): Promise<void> {
  const { gateway, generators = [] } = config
  if (!gateway && generators.length === 0 && recordedContracts(config).length === 0) return
  const main = fileURLToPath(import.meta.resolve('@tsmicro/cli/main'))
  try {
    const args = [...NODE_FLAGS, main, '--config', configFile, 'generate']
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
    write(stdout)
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new CliError(
      `written, but tsmicro generate failed; run it again once this is mended:\n${stdout}${stderr}`.trim(),
    )
  }
}
