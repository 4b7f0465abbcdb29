import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { SigningKey } from '../src/api/signing-key/repository.ts'
import { describeKeys, readArguments, runKeys } from '../src/startup/programs/keys.ts'

const directory = await mkdtemp(join(tmpdir(), 'auth-keys-'))
after(() => rm(directory, { recursive: true, force: true }))

test('--help explains everything; invalid arguments are refused', async () => {
  const help = await runKeys(['withdraw', '--help'], {})
  for (const word of ['add', 'list', 'withdraw KID', '--force', 'KEYS_DIR', 'DATABASE_URL'])
    assert.ok(help.includes(word))
  const wrong = { '': /a command is missing/, rotate: /unknown command "rotate"/, 'add x': /unknown argument "x"/ }
  const more = {
    withdraw: /withdraw which key/,
    'list --force': /--force belongs/,
    'add --now': /Unknown option '--now'/,
  }
  for (const [line, message] of Object.entries({ ...wrong, ...more, 'withdraw a b': /unknown argument "b"/ }))
    assert.throws(() => readArguments(line.split(' ').filter(Boolean)), message)
  const kid = `-${'x'.repeat(42)}`
  assert.deepEqual(
    readArguments(['withdraw', kid]),
    { name: 'withdraw', kid, force: false },
    'a kid may look like an option',
  )
})

test('add creates a file and prints no secret; each command requires only what it needs', async () => {
  const output = await runKeys(['add'], { KEYS_DIR: directory })
  assert.match(output, /^[\w-]{43} {2}\S+0001\.pem\n/)
  assert.doesNotMatch(output, /PRIVATE/)
  await assert.rejects(runKeys(['add'], {}), { message: /KEYS_DIR is not set/ })
  await assert.rejects(runKeys(['list'], { KEYS_DIR: directory }), { message: /DATABASE_URL is not set/ })
  await assert.rejects(runKeys(['withdraw', 'x', '--force'], {}), { message: /DATABASE_URL is not set/ })
})

test('every state of a key is shown', () => {
  const now = Date.UTC(2030, 0, 1)
  const key = (kid: string, signsFrom: number, withdrawnAt?: number): SigningKey => ({
    kid,
    modulus: 'n',
    exponent: 'AQAB',
    signsFrom,
    goodUntil: now + 60_000,
    withdrawnAt,
  })
  const keys = [key('next', now + 1000), key('signs', now), key('bad', now, now), key('old', 0), key('gone', 0)]
  const files = new Map(['old', 'bad', 'signs', 'next', 'fresh'].map(kid => [kid, `/keys/${kid}.pem`]))
  assert.deepEqual(describeKeys({ now, keys }, files), [
    'fresh  not published yet: is an auth service with this KEYS_DIR running?  /keys/fresh.pem',
    'next  published, signs from 2030-01-01T00:00:01Z  /keys/next.pem',
    'signs  signs  /keys/signs.pem',
    'bad  withdrawn 2030-01-01T00:00:00Z; remove its file  /keys/bad.pem',
    'old  verifies, no longer signs: its file may be removed  /keys/old.pem',
    'gone  no file here; retiring until 2030-01-01T00:01:00Z  -',
  ])
})
