import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { command } from './command.ts'
import { entriesOf, INTERNAL, PACKAGE } from './exports/entries.ts'
import { namesOf } from './exports/names.ts'

const MOST = 140

export const exports: Check = {
  name: 'exports',
  promise: `the entries of tsmicro export at most ${MOST} names together, tsmicro/internal not counted, and none twice`,
  run: async root => {
    const missing = entriesOf(root).filter(({ source }) => !existsSync(join(root, PACKAGE, source)))
    if (missing.length > 0) {
      const problems = missing.map(({ specifier, source }) => `${specifier}: ${PACKAGE}/${source} does not exist`)
      return { problems }
    }
    const folder = mkdtempSync(join(tmpdir(), 'tsmicro-declarations-'))
    try {
      // Without checking types, which is another check's work.
      const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--noCheck', '--outDir', folder]
      const { problems } = await command(root, 'typescript/bin/tsc', ['-p', PACKAGE, ...emit])
      return problems.length > 0 ? { problems } : counted(root, folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function counted(root: string, declarations: string) {
  const homes = new Map<string, string[]>()
  let count = 0
  for (const { specifier, source } of entriesOf(root)) {
    const names = namesOf(join(declarations, source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts')))
    if (!specifier.startsWith(INTERNAL)) count += names.length
    for (const name of names) homes.set(name, [...(homes.get(name) ?? []), specifier])
  }
  const problems = [...homes]
    .filter(([, specifiers]) => specifiers.length > 1)
    .map(([name, specifiers]) => `${name} is exported by ${specifiers.join(' and ')}: a name has one home`)
  if (count > MOST)
    problems.push(
      `${count} names are exported, ${MOST} at most: give back what nobody outside needs, or move it to ${INTERNAL}`,
    )
  return { problems, note: `${count} names` }
}
