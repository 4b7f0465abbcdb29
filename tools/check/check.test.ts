import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fixture } from './fixture.ts'

const MAIN = fileURLToPath(new URL('../check.ts', import.meta.url))
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const TSCONFIG =
  '{ "compilerOptions": { "noEmit": true, "allowImportingTsExtensions": true, "strict": true, "types": [] }, "include": ["packages/*/src"] }\n'

/** The command on a workspace that has this repository's tools installed. */
function check(t: TestContext, files: Record<string, string>, ...names: string[]) {
  const root = fixture(t, { 'tsconfig.json': TSCONFIG, 'biome.json': '{}', ...files })
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--root', root, ...names], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

test('types: passes, and shows an error with its place', t => {
  assert.match(check(t, {}, 'types').output, /^✓ types\n1 passed, 0 failed$/m)
  const { status, output } = check(t, { 'packages/gateway/src/a.ts': "export const a: number = 'x'\n" }, 'types')
  assert.equal(status, 1)
  assert.match(output, /✗ types \(1 to mend\)\n {4}packages\/gateway\/src\/a\.ts\(1,14\): error TS2322/)
})

test('lint: one line for what is wrong, of lint and of format', t => {
  const { status, output } = check(t, { 'packages/gateway/src/a.ts': 'debugger;  export const a = 1\n' }, 'lint')
  assert.equal(status, 1)
  assert.match(output, /packages\/gateway\/src\/a\.ts:1 lint\/suspicious\/noDebugger/)
  assert.match(output, /packages\/gateway\/src\/a\.ts:1 format/)
})

test('a check that cannot do its work has not passed, and the others run', t => {
  const { status, output } = check(t, {}, 'lockfile', 'docs')
  assert.equal(status, 1)
  assert.match(output, /✗ lockfile \(1 to mend\)\n {4}could not be checked: .*package-lock\.json/)
  assert.match(output, /✓ docs/)
})

test('wrong names and flags are refused with exit code 2', t => {
  assert.equal(check(t, {}, 'nothing').status, 2)
  assert.equal(check(t, {}, '--nothing').status, 2)
  assert.equal(check(t, {}, '--help').status, 0)
})
