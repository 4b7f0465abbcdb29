import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { differences, ModuleGraph } from './graph.ts'

function project(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tsmicro-graph-')))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  const graph = new ModuleGraph()
  const program = () => graph.program(join(root, 'main.ts'))
  const names = () => [...program().files.keys()].map(file => relative(root, file)).sort()
  return { root, write, graph, program, names }
}

test('a program is what it loads when it runs, from the project and its workspace packages', t => {
  const { root, graph, names } = project(t, {
    'package.json': '{"type":"module"}',
    'main.ts': `import a, { type B } from './a.ts'
import type { C } from './types.ts'
export * from './b.ts'
export type { D } from './types.ts'
import data from './data.json' with { type: 'json' }
import fs from 'node:fs'
import 'shared/door'
import installed from 'installed'
const later = await import('./later.ts')
const computed = await import(\`./\${fs}.ts\`)
const kind: typeof import('./types.ts') = later
const sql = new URL('./migrations/', import.meta.url)
const here = new URL('.', import.meta.url)
`,
    'a.ts': "import './b.ts'\nimport './missing.ts'",
    'b.ts': "import './main.ts'",
    'later.ts': '',
    'data.json': '{}',
    'types.ts': '',
    'unused.ts': '',
    'migrations/1.sql': '',
    'packages/shared/package.json': '{"name":"shared","exports":{"./door":"./src/door.ts"}}',
    'packages/shared/src/door.ts': '',
    'packages/shared/src/other.ts': '',
    'node_modules/installed/package.json': '{"name":"installed","main":"index.js"}',
    'node_modules/installed/index.js': '',
  })
  symlinkSync('../packages/shared', join(root, 'node_modules', 'shared'))
  graph.forget()
  const expected = [
    'a.ts',
    'b.ts',
    'data.json',
    'later.ts',
    'main.ts',
    'migrations/1.sql',
    'missing.ts',
    'package.json',
  ]
  assert.deepEqual(names(), [...expected, 'packages/shared/package.json', 'packages/shared/src/door.ts'])
})

test('it changes with its files: their content, not their time; new ones, and those that go', t => {
  const { root, write, graph, program } = project(t, {
    'package.json': '{"type":"module","scripts":{}}',
    'main.ts': "import './a.ts'\nnew URL('./migrations/', import.meta.url)\nnew URL('./100%.txt', import.meta.url)",
    'a.ts': 'export {}',
    'migrations/1.sql': '',
  })
  const changed = (file: string, text: string | undefined) => {
    const before = program()
    if (text === undefined) rmSync(join(root, file))
    else write(file, text)
    graph.forget([join(root, file)])
    return differences(before, program()).map(path => relative(root, path))
  }
  assert.deepEqual(changed('a.ts', 'export {}'), [])
  assert.deepEqual(changed('a.ts', "import './b.ts'"), ['a.ts', 'b.ts'])
  assert.deepEqual(changed('b.ts', ''), ['b.ts'])
  assert.deepEqual(changed('migrations/2.sql', 'select 1'), ['migrations/2.sql'])
  assert.deepEqual(changed('migrations/1.sql', undefined), ['migrations/1.sql'])
  assert.deepEqual(changed('package.json', '{"type":"module","scripts":{"a":"b"}}'), [])
  assert.deepEqual(changed('package.json', '{"type":"module","dependencies":{"x":"1"}}'), ['package.json'])
})

test('mistakes in syntax have their places', t => {
  const { root, program } = project(t, { 'main.ts': "import './a.ts'", 'a.ts': 'const a = {\n  b:\n}\n' })
  const [{ file, line, column } = { file: '', line: 0, column: 0 }, ...more] = program().faults
  assert.deepEqual([relative(root, file), line, column, more], ['a.ts', 3, 1, []])
})
