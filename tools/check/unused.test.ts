// CI alone: `npm run check` looks for what is unused by hand.
import assert from 'node:assert/strict'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { unused } from './installed.ts'
import { filesOf, packagesOf } from './workspace.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'tsmicro-unused-'))
after(() => rmSync(copy, { recursive: true, force: true }))

for (const path of filesOf(ROOT)) {
  if (!/\.(ts|js|json)$/.test(path)) continue
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  cpSync(join(ROOT, path), join(copy, path))
}
linkModules()

test('is refused: unused files and exports in every folder, and nothing else in a copy of this repository', async () => {
  const exporting = [
    'packages/tsmicro/src/errors/causes.ts',
    'packages/tsmicro/src/contract.ts',
    'packages/tsmicro/src/internal.ts',
    'packages/gateway/src/index.ts',
    'contracts/auth/src/roles.ts',
    'services/blog/src/index.ts',
    'tests/support/until.ts',
    'tools/check/check.ts',
  ]
  for (const file of exporting)
    appendFileSync(join(copy, file), '\nexport const planted = 1\nexport type Planted = 1\n')
  const files = [
    'packages/tsmicro/src/micro/planted.ts',
    'packages/cli/tests/planted.ts',
    'contracts/blog/src/planted.ts',
    'services/auth/src/planted.ts',
    'tests/platform/planted.ts',
    'tools/planted.ts',
    'bench/rpc/planted.ts',
    'kong/plugins/shared/planted.ts',
  ]
  for (const file of files) appendFileSync(join(copy, file), 'console.log(1)\n')
  const told = (await unused.run(copy)).problems.map(line => line.replace(/:\d+ /, ' '))
  const expected = [
    ...exporting.flatMap(file =>
      ['planted', 'Planted'].map(name => `${file} ${name} is used by no other file: drop its export, or delete it`),
    ),
    ...files.map(file => `${file} is used by nothing: delete it`),
  ]
  assert.deepEqual(told.toSorted(), expected.toSorted())
})

/** What is installed, but with the copy's own packages in place of the repository's. */
function linkModules(): void {
  const own = new Map(packagesOf(ROOT).map(({ name, folder }) => [name, folder]))
  const modules = join(ROOT, 'node_modules')
  const names = readdirSync(modules).flatMap(name =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map(each => `${name}/${each}`) : [name],
  )
  for (const name of names) {
    const folder = own.get(name)
    const link = join(copy, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(folder === undefined ? join(modules, name) : join(copy, folder), link)
  }
}
