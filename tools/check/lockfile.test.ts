import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from './fixture.ts'
import { lockfile } from './lockfile.ts'
import { type Json, jsonOf, packagesOf } from './workspace.ts'

/** Problems of a lockfile that is in step with the fixture's manifests, but for these entries. */
async function problemsWith(t: Parameters<typeof fixture>[0], entries: Json): Promise<readonly string[]> {
  const plain = fixture(t)
  const manifests = packagesOf(plain).map(({ folder, manifest }): [string, Json] => [folder, manifest])
  const packages = { '': jsonOf(plain, 'package.json'), ...Object.fromEntries(manifests), ...entries }
  return (await lockfile.run(fixture(t, { 'package-lock.json': JSON.stringify({ packages }) }))).problems
}

test('a lockfile in step passes, links between workspaces included', async t => {
  const entries = {
    'node_modules/tsmicro': { resolved: 'packages/tsmicro', link: true },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-x', engines: { node: '^18 || >=20' } },
  }
  assert.deepEqual(await problemsWith(t, entries), [])
})

for (const [what, entries, expected] of [
  [
    'an address',
    { 'node_modules/a': { resolved: 'https://example.com/a.tgz', integrity: 'sha512-x' } },
    /node_modules\/a has an address/,
  ],
  ['no integrity', { 'packages/x/node_modules/a': { version: '1.0.0' } }, /node_modules\/a has no integrity/],
  ...['>=22', '>= 22.x', '>=22.19.0', '>=24'].map(
    node =>
      [
        `engines ${node}`,
        { 'node_modules/a': { integrity: 'x', engines: { node } } },
        /has engines .*, so npm on Node 20 warns of it/,
      ] as const,
  ),
  [
    'a dependency that no package.json has',
    { 'services/two': { dependencies: { '@x/one': '1.0.0', a: '1.0.0' } } },
    /services\/two\/package\.json dependencies: a is not there/,
  ],
  [
    'another version',
    { 'services/two': { dependencies: { '@x/one': '2.0.0' } } },
    /@x\/one is 1\.0\.0, in package-lock\.json 2\.0\.0/,
  ],
  ['a missing dependency', { 'services/two': {} }, /@x\/one is 1\.0\.0, in package-lock\.json not there/],
  ['a missing workspace', { 'services/two': undefined }, /services\/two\/package\.json has no entry/],
] as const) {
  test(`is refused: ${what}`, async t => {
    const problems = await problemsWith(t, entries)
    assert.match(problems.join('\n'), expected)
    assert.equal(problems.length, 2, 'the one problem and what to do')
  })
}
