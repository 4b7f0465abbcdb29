import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Example, examplesOf } from './docstrings.ts'
import { type Exported, namesOf, publicExports } from './exports.ts'
import { programOf } from './program.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** What examples may use without declaring it. */
export const SETTING = join(ROOT, 'tests/documentation/examples/setting.ts')

/** The examples in the framework's docstrings. */
export const examples = examplesOf(ROOT, 'packages/tsmicro/src')

/** Writes a program for each of the examples into `folder`; resolves to their files. */
export async function writePrograms(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const shared = sharedNames(folder)
  const write = async (example: Example, index: number) => {
    const file = join(folder, `example-${index}.ts`)
    const known = new Map([...ownNames(example, folder), ...shared])
    await writeFile(file, `// ${example.place}\n${programOf(example, known)}`)
    return file
  }
  return Promise.all(examples.map(write))
}

/** The names that every example may use; those of the setting come first. */
function sharedNames(folder: string): Map<string, Exported> {
  const names = new Map(publicExports(ROOT))
  names.set('Type', { isType: false, from: 'typebox' })
  names.set('randomUUID', { isType: false, from: 'node:crypto' })
  const from = relative(folder, SETTING)
  for (const [name, isType] of namesOf(SETTING)) names.set(name, { isType, from })
  return names
}

/** What the example's own file exports, even if no entry does. */
function ownNames({ file }: Example, folder: string): Map<string, Exported> {
  const from = relative(folder, join(ROOT, file))
  return new Map([...namesOf(join(ROOT, file))].map(([name, isType]) => [name, { isType, from }]))
}
