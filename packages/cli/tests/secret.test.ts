import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keptSecret } from '../src/index.ts'

test('a secret is created once, stored for its owner alone, and created again if it was cut short', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-secret-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const made = keptSecret(folder, 'gateway')
  assert.match(made, /^[\w-]{43}$/)
  assert.equal(keptSecret(folder, 'gateway'), made)
  assert.notEqual(keptSecret(folder, 'verify'), made)
  const file = join(folder, 'secrets', 'gateway')
  assert.equal(readFileSync(file, 'utf8'), made)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  writeFileSync(file, made.slice(0, 10))
  assert.notEqual(keptSecret(folder, 'gateway'), made)
  assert.throws(() => keptSecret(folder, '../x'), TypeError)
})
