import assert from 'node:assert/strict'
import { test } from 'node:test'
import { files } from './files.ts'
import { problemsOf } from './fixture.ts'

// Put together here, so that this file does not hold what the check looks for.
const join = (...parts: string[]) => parts.join('')
const KEY = join('-----BEGIN ', 'PRIVATE KEY-----\n', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC')

test('a sound workspace passes: prefixes alone, ignored files and paths of containers are accepted', async t => {
  assert.deepEqual(
    await problemsOf(files, t, {
      '.gitignore': '.env\n*.log\n.data/\n',
      '.env': KEY,
      'a.log': KEY,
      '.data/key.pem': KEY,
      'node_modules/a/index.js': KEY,
      'packages/gateway/src/redact.ts': "const begins = '-----BEGIN PRIVATE KEY-----'\n",
      'services/one/Dockerfile': 'WORKDIR /home/node/app\n',
      'README.md': 'https://example.com/work/it\n',
    }),
    [],
  )
})

for (const [what, text, expected] of [
  ['a private key', KEY, /holds a private key/],
  ['a private key in one line', KEY.replace('\n', '\\n'), /holds a private key/],
  ['a token', `const token = '${join('ghp', '_', 'a1'.repeat(18))}'`, /holds an access token/],
  ['a registry login', join('//example.com/:_auth', 'Token=abcdefgh12345'), /holds a registry login/],
  ['a path of one machine', `cd ${join('/wo', 'rk/main')}`, /holds a path of one machine/],
  ['a home folder', `see ${join('/ho', 'me/alice/notes')}`, /holds a path of one machine/],
  ['a registry', join('https://regis', 'try.example.com/x'), /holds an address of a package registry/],
] as const) {
  test(`is refused: ${what}, with its place and without its content`, async t => {
    const problems = await problemsOf(files, t, { 'docs/x.md': `one\ntwo ${text}\n` })
    assert.equal(problems.length, 1)
    assert.match(problems.join(), expected)
    assert.match(problems.join(), /^docs\/x\.md:2 /)
    assert.ok(!problems.join().includes(text))
  })
}

test('is refused: the registry that npm is configured with here, under any name', async t => {
  const before = process.env.npm_config_registry
  process.env.npm_config_registry = 'https://packages.internal.example/npm/'
  t.after(() => {
    if (before === undefined) delete process.env.npm_config_registry
    else process.env.npm_config_registry = before
  })
  assert.match(
    (await problemsOf(files, t, { 'a.md': 'from packages.internal.example' })).join(),
    /this machine's registry host/,
  )
})

test('is refused: a source file over 300 lines, and a median of 120', async t => {
  const long = { 'packages/gateway/src/long.ts': 'x\n'.repeat(301) }
  assert.deepEqual(await problemsOf(files, t, long), [
    'packages/gateway/src/long.ts has 301 lines: one thing per file, at most 300',
  ])
  const all = Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e'].map(name => [`packages/gateway/src/${name}.ts`, 'x\n'.repeat(120)]),
  )
  assert.match((await problemsOf(files, t, all)).join(), /the median source file has 120 lines/)
})
