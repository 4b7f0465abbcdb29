import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exports } from './exports.ts'
import { fixture } from './fixture.ts'

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const SRC = 'packages/tsmicro/src'
const PACKAGE = JSON.stringify({
  name: 'tsmicro',
  exports: {
    '.': './src/index.ts',
    './contract': './src/contract/index.ts',
    './internal': './src/internal.ts',
    './package.json': './package.json',
  },
})
const TSCONFIG = JSON.stringify({
  compilerOptions: { rootDir: 'src', outDir: 'dist', module: 'nodenext', allowImportingTsExtensions: true, types: [] },
  include: ['src'],
})

/** What is found in a framework with these files: two entries of a name each, and one inside. */
function found(t: TestContext, files: Record<string, string> = {}) {
  const root = fixture(t, {
    'packages/tsmicro/package.json': PACKAGE,
    'packages/tsmicro/tsconfig.json': TSCONFIG,
    [`${SRC}/index.ts`]: "export { a } from './errors/index.ts'\n",
    [`${SRC}/contract/index.ts`]: "export type { B } from './b.ts'\n",
    [`${SRC}/contract/b.ts`]: 'export interface B {}\n',
    [`${SRC}/internal.ts`]: "export * from './inside.ts'\n",
    [`${SRC}/inside.ts`]: 'export const inside = 1\n',
    ...files,
  })
  symlinkSync(MODULES, join(root, 'node_modules'))
  return exports.run(root)
}
const constants = (count: number) =>
  Array.from({ length: count }, (_, index) => `export const c${index} = ${index}`).join('\n')

test('names are counted, those of tsmicro/internal not', async t => {
  assert.deepEqual(await found(t), { problems: [], note: '2 names' })
  const { problems, note } = await found(t, { [`${SRC}/inside.ts`]: constants(200) })
  assert.deepEqual([problems, note], [[], '2 names'])
})

test('is refused: more than 152 names, however they come to be exported', async t => {
  for (const [what, index, most] of [
    ['listed', "export * from './many.ts'\n", 151],
    ['a namespace, with its members', "export * as many from './many.ts'\n", 150],
    ['an imported namespace', "import * as many from './many.ts'\nexport { many as some }\n", 150],
  ] as const) {
    const within = await found(t, { [`${SRC}/index.ts`]: index, [`${SRC}/many.ts`]: constants(most) })
    assert.deepEqual(within, { problems: [], note: '152 names' }, what)
    const beyond = await found(t, { [`${SRC}/index.ts`]: index, [`${SRC}/many.ts`]: constants(most + 1) })
    assert.match(beyond.problems.join(), /^153 names are exported, 152 at most/, what)
  }
})

test('is refused: a name in two entries, and an entry that does not exist', async t => {
  const twice = await found(t, {
    [`${SRC}/index.ts`]: "export { a } from './errors/index.ts'\nexport type { B } from './contract/index.ts'\n",
  })
  assert.deepEqual(twice.problems, ['B is exported by tsmicro and tsmicro/contract: a name has one home'])
  const inside = await found(t, { [`${SRC}/inside.ts`]: 'export const a = 1\n' })
  assert.deepEqual(inside.problems, ['a is exported by tsmicro and tsmicro/internal: a name has one home'])
  const gone = await found(t, {
    'packages/tsmicro/package.json': PACKAGE.replace('./src/internal.ts', './src/gone.ts'),
  })
  assert.deepEqual(gone.problems, ['tsmicro/internal: packages/tsmicro/src/gone.ts does not exist'])
})
