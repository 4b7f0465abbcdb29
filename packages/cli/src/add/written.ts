import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { NODE_FLAGS } from '@tsmicro/infra'
import { recordedContracts } from '../config.ts'
import { CliError } from '../errors.ts'
import type { Project } from './project.ts'

/** What a generator writes: whole files, and files as they are after an edit. Paths are relative to the project. */
export interface Written {
  readonly files: Readonly<Record<string, string>>
  readonly edited: Readonly<Record<string, string>>
}

/** @throws CliError if a file is there that would be overwritten: then nothing is written */
export async function writeAll({ root }: Project, { files, edited }: Written, write: (text: string) => void) {
  const taken = Object.keys(files).filter(path => existsSync(join(root, path)))
  if (taken.length > 0) throw new CliError(`${taken.join(', ')} exist already: nothing was changed`)
  for (const [mark, texts] of [
    ['+', files],
    ['~', edited],
  ] as const)
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
      write(`${mark} ${path}\n`)
    }
  await format(root, [...Object.keys(files), ...Object.keys(edited)])
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
  const main = new URL(import.meta.resolve('@tsmicro/cli/main')).pathname
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
