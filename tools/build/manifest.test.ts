import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../check/workspace.ts'
import { entriesOf, inOrder, publishedManifest } from './manifest.ts'

const workspace = (name: string, more: Json = {}) => ({
  folder: `packages/${name}`,
  name,
  manifest: { name, version: '1.0.0', devDependencies: { x: '1' }, ...more },
})

const one = workspace('one', {
  exports: { '.': './src/index.ts', './plugin': './plugin/core.ts', './package.json': './package.json' },
  imports: { '#hints': { browser: './src/hints.browser.ts', default: './src/hints.ts' } },
  dependencies: { two: '1.0.0' },
})

test('sources become the files that are compiled from them', () => {
  const { exports, imports, devDependencies, dependencies, engines, repository } = publishedManifest(one, 'git+x')
  const compiled = (path: string) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` })
  assert.deepEqual(exports, {
    '.': compiled('index'),
    './plugin': compiled('plugin/core'),
    './package.json': './package.json',
  })
  assert.deepEqual(imports, { '#hints': { browser: compiled('hints.browser'), default: compiled('hints') } })
  assert.deepEqual([devDependencies, dependencies], [undefined, { two: '1.0.0' }])
  assert.deepEqual(engines, { node: '>=22.18' })
  assert.deepEqual(repository, { type: 'git', url: 'git+x', directory: 'packages/one' })
  assert.deepEqual(entriesOf(one), ['./src/index.ts', './plugin/core.ts', './src/hints.browser.ts', './src/hints.ts'])
})

test('programs begin on Node 20', () => {
  const { engines, repository } = publishedManifest(workspace('cli', { bin: { cli: 'bin/cli.js' } }))
  assert.deepEqual([engines, repository], [{ node: '>=20' }, undefined])
})

test('packages come after those that they depend on; a circle is refused', () => {
  const [two, three] = [workspace('two', { dependencies: { three: '1.0.0' } }), workspace('three')]
  assert.deepEqual(
    inOrder([one, two, three]).map(({ name }) => name),
    ['three', 'two', 'one'],
  )
  const circle = workspace('three', { dependencies: { one: '1.0.0' } })
  assert.throws(() => inOrder([one, two, circle]), /depends on itself/)
})
