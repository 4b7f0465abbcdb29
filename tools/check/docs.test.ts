import assert from 'node:assert/strict'
import { test } from 'node:test'
import { docs } from './docs.ts'
import { problemsOf } from './fixture.ts'

const exporting = (subpath: string, file: string) => JSON.stringify({ name: 'tsmicro', exports: { [subpath]: file } })

test('sound documents pass: anchors, references, code blocks, placeholders and other addresses', async t => {
  const text = [
    '# One: a `thing` & more',
    'See [docs](docs/b.md#two-words-1), [here](#one-a-thing--more), [out](https://example.com/x), [ref][r], `packages/tsmicro/`,',
    '`services/<name>/src/`, `packages/*/src`, npm run check.',
    '[r]: docs/b.md "title"',
    '```md\n[not a link](nowhere.md) `packages/none/`\n```',
  ].join('\n')
  assert.deepEqual(await problemsOf(docs, t, { 'README.md': text, 'docs/b.md': '## Two words\n## Two words\n' }), [])
})

for (const [what, text, expected] of [
  ['a link to a missing file', '\n[x](nowhere.md)', /README\.md:2 links to nowhere\.md, which does not exist/],
  ['a reference to a missing file', '[x]: docs/nowhere.md', /links to docs\/nowhere\.md/],
  ['a missing heading', '# A\n[x](#b)', /links to #b, but there is no such heading/],
  ['a missing heading elsewhere', '[x](docs/b.md#b)', /links to docs\/b\.md#b, but there is no such heading/],
  ['a package that is gone', 'see `packages/gone/`', /speaks of packages\/gone\/, which does not exist/],
  [
    'code that imports what is inside',
    "```ts\nimport { x } from 'tsmicro/internal'\n```",
    /README\.md:2 shows tsmicro\/internal/,
  ],
  ['a script that is gone', 'run npm run gone', /npm run gone: package\.json has no such script/],
] as const) {
  test(`is refused: ${what}`, async t => {
    const problems = await problemsOf(docs, t, { 'README.md': text, 'docs/b.md': '# A' })
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems.join(), expected)
  })
}

test('public exports need a docstring, also through a second door; a type may have its members speak', async t => {
  const problems = await problemsOf(docs, t, {
    'packages/tsmicro/package.json': exporting('./b', './src/b/index.ts'),
    'packages/tsmicro/src/b/index.ts':
      "export { told, untold, type Options, type Bare, renamed as other } from './b.ts'\nexport { deep } from './deep/index.ts'\n",
    'packages/tsmicro/src/b/b.ts': [
      '/** Told. */\nexport function told(a: string): void\nexport function told(a: number): void {}',
      '/** of a line above */\nconst inner = 1\nexport const untold = inner',
      'export type Options = {\n  /** In milliseconds. */\n  readonly wait: number\n}',
      'export type Bare = {\n  readonly a: number\n}',
      '/** Renamed. */\nexport const renamed = 1',
      '/** The last. */\nexport const last = 1\n',
    ].join('\n\n'),
    'packages/tsmicro/src/b/deep/index.ts': "export { deep } from './deep.ts'\n",
    'packages/tsmicro/src/b/deep/deep.ts': 'export class deep {}\n',
  })
  assert.deepEqual(problems.toSorted(), [
    'packages/tsmicro/src/b/b.ts: public Bare has no docstring',
    'packages/tsmicro/src/b/b.ts: public untold has no docstring',
    'packages/tsmicro/src/b/deep/deep.ts: public deep has no docstring',
  ])
})

test('is refused: an entry point that does not exist', async t => {
  const problems = await problemsOf(docs, t, {
    'packages/tsmicro/package.json': exporting('./gone', './src/gone/index.ts'),
  })
  assert.match(problems.join(), /exports \.\/gone, but packages\/tsmicro\/src\/gone\/index\.ts does not exist/)
})

test('is refused: an entry that exports what it does not list by name', async t => {
  for (const text of ['export const a = 1\n', "export * from './a.ts'\n", 'const a = 1\nexport { a }\n']) {
    const problems = await problemsOf(docs, t, {
      'packages/tsmicro/package.json': exporting('./b', './src/b.ts'),
      'packages/tsmicro/src/b.ts': text,
    })
    assert.deepEqual(problems, [
      "packages/tsmicro/src/b.ts exports more than it lists: export { … } from './x.ts' alone",
    ])
  }
})
