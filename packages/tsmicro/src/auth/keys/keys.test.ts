import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSign, generateKeyPairSync, verify } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { formatPrivateKey, generateKeyPair, parseKeyPair } from './key-pair.ts'
import { loadKeyRing } from './key-ring.ts'

async function temporary(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keys-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'ring')
}

test('a key pair survives its PEM form, with the same RFC 7638 name', async () => {
  const pair = await generateKeyPair()
  const again = parseKeyPair(formatPrivateKey(pair))
  assert.equal(again.kid, pair.kid)
  assert.equal(pair.kid, await calculateJwkThumbprint(pair.publicKey))
  const signature = createSign('sha256').update('x').sign(pair.privateKey)
  assert.ok(verify('sha256', Buffer.from('x'), again.publicKey, signature))
})

test('refuses weak keys and other kinds', async t => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' })
  assert.throws(() => parseKeyPair(weak.toString()), /at least 2048 bits, not 1024/)
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' })
  assert.throws(() => parseKeyPair(ec.toString()), /RSA key is needed/)
  const directory = await temporary(t)
  await mkdir(directory)
  await writeFile(join(directory, '0001.pem'), 'not a key', { mode: 0o600 })
  await assert.rejects(loadKeyRing({ directory }), /0001\.pem is not a usable signing key/)
})

test('without permission to make one, a missing key is an error that says what to do', async t => {
  await assert.rejects(loadKeyRing({ directory: await temporary(t) }), /no signing key in .*0001\.pem/)
})

test('creates a first key with mode 0600, and leaves no other file, the same on the next load', async t => {
  const directory = await temporary(t)
  const first = await loadKeyRing({ directory, createIfMissing: true })
  assert.deepEqual(await readdir(directory), ['0001.pem'])
  assert.equal((await stat(join(directory, '0001.pem'))).mode & 0o777, 0o600)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  assert.match(await readFile(join(directory, '0001.pem'), 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
  assert.equal((await loadKeyRing({ directory, createIfMissing: true })).current.kid, first.current.kid)
})

test('publishes public members only; the newest file signs, all verify', async t => {
  const directory = await temporary(t)
  const old = (await loadKeyRing({ directory, createIfMissing: true })).current
  const next = await generateKeyPair()
  await writeFile(join(directory, '0010.pem'), formatPrivateKey(next), { mode: 0o600 })
  await writeFile(join(directory, 'readme.txt'), 'ignored')
  const ring = await loadKeyRing({ directory })
  assert.equal(ring.current.kid, next.kid)
  assert.deepEqual(
    ring.jwks().keys.map(key => key.kid),
    [next.kid, old.kid],
  )
  for (const key of ring.jwks().keys) {
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  }
})

test('processes that start at the same time on an empty directory share one key', async t => {
  const directory = await temporary(t)
  const program = `
    import { loadKeyRing } from ${JSON.stringify(new URL('key-ring.ts', import.meta.url).href)}
    const ring = await loadKeyRing({ directory: process.argv[1], createIfMissing: true })
    process.stdout.write(ring.current.kid + '/' + ring.keys.length)`
  const outputs = await Promise.all(
    [1, 2, 3, 4].map(() =>
      text(
        spawn(process.execPath, ['--input-type=module', '-e', program, '--', directory], {
          stdio: ['ignore', 'pipe', 'inherit'],
        }).stdout,
      ),
    ),
  )
  assert.match(outputs[0] ?? '', /^[\w-]{43}\/1$/)
  assert.equal(new Set(outputs).size, 1)
  assert.deepEqual(await readdir(directory), ['0001.pem'])
})
