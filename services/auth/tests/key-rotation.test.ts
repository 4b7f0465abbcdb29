import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { type JsonWebKeySet, TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import { createKeyFile } from 'tsmicro/auth'
import { runKeys } from '../src/startup/programs/keys.ts'
import { isAccepted, refresh, refreshed, signIn, signUp } from './support/accounts.ts'
import { type Auth, addAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { startServers } from './support/servers.ts'
import { until } from './support/until.ts'

const servers = await startServers()
// No time passes here: tests change the times in the database instead.
const LATER = { KEYS_CHECK_MS: '50', KEY_ACTIVATION_SECONDS: '3600' }
const otherDir = await mkdtemp(join(tmpdir(), 'auth-keys-'))
servers.cleanUp.defer(() => rm(otherDir, { recursive: true, force: true }))

const here = await addAuth(servers, { env: LATER })
await copyFile(join(servers.keysDir, '0001.pem'), join(otherDir, '0001.pem'))
/** Another instance, which gets new files later. */
const there = await addAuth(servers, { env: { ...LATER, KEYS_DIR: otherDir } })
const both = [here, there]
const account = await signUp(here)

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
const signedBy = async (auth: Auth) => kidOf((await signIn(auth, account)).accessToken)
const published = async (auth: Auth): Promise<readonly string[]> => {
  const { keys } = (await send(auth.url, 'GET /.well-known/jwks.json')).body as unknown as JsonWebKeySet
  return keys.map(({ kid }) => kid)
}
const cachingOf = async (auth: Auth) => {
  const { headers } = await send(auth.url, 'GET /.well-known/jwks.json')
  return [headers.get('cache-control'), headers.get('etag')]
}
const untilPublished = (...kids: string[]) =>
  until(`${kids} to be published everywhere`, async () => {
    const all = await Promise.all([...both.map(published), peerKeys()])
    return all.every(found => found.join() === kids.join())
  })
const peerKeys = async () => (await here.peer.client(validation).publicKeys()).keys.map(({ kid }) => kid)
const untilSigns = (auth: Auth, kid: string) => until(`${kid} to sign`, async () => (await signedBy(auth)) === kid)
const said = (auth: Auth, text: string) => auth.log.filter(line => line.includes(text)).length
const pass = (column: 'signs_from' | 'good_until', kid: string) =>
  servers.sql(`update signing_keys set ${column} = now() - interval '1 second' where kid = $1`, [kid])

let old = ''
let next = ''
let etagBefore = ''

test('the first key signs at once', async () => {
  old = kidOf(account.accessToken)
  await untilPublished(old)
  assert.deepEqual(await Promise.all(both.map(signedBy)), [old, old])
})

test('the published keys have the same validator in every instance, and another one when they change', async () => {
  const caching = await cachingOf(here)
  assert.deepEqual([caching[0], await cachingOf(there)], ['public, max-age=300', caching])
  etagBefore = String(caching[1])
})

test('every instance publishes a new file, with the private key or not, and none signs with it too early', async () => {
  const made = await createKeyFile(servers.keysDir)
  next = made.kid
  await untilPublished(next, old)
  assert.notEqual((await cachingOf(here))[1], etagBefore)
  assert.deepEqual(await Promise.all(both.map(signedBy)), [old, old])
  const before = await signIn(here, account)
  await pass('signs_from', next)
  await untilSigns(here, next)
  assert.equal(await signedBy(there), old, 'it does not have the file yet')
  const [mine, yours] = [await signIn(here, account), await signIn(there, account)]
  for (const auth of both) {
    for (const { accessToken } of [before, mine, yours]) {
      assert.ok(await isAccepted(auth, accessToken))
      assert.equal((await auth.peer.client(validation).validateToken({ token: accessToken })).id, account.id)
    }
  }
  assert.equal(kidOf((await refreshed(there, mine)).refreshToken), old)
  assert.equal(kidOf((await refreshed(here, before)).refreshToken), next)
  await copyFile(made.file, join(otherDir, basename(made.file)))
  await untilSigns(there, next)
})

test('without its file an old key no longer signs, but verifies until its last token has expired', async () => {
  const tokens = await signIn(there, account)
  for (const directory of [servers.keysDir, otherDir]) await rm(join(directory, '0001.pem'))
  for (const auth of both) await untilSigns(auth, next)
  assert.deepEqual(await published(here), [next, old])
  for (const auth of both) assert.ok(await isAccepted(auth, account.accessToken))
  await until('nobody to move its end on', async () => {
    await pass('good_until', old)
    return (await published(here)).length === 1
  })
  await untilPublished(next)
  assert.ok(await isAccepted(here, tokens.accessToken))
  for (const auth of both) assert.ok(!(await isAccepted(auth, account.accessToken)))
})

test('files that are not valid keys are reported once, and the service continues', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' })
  const bad = { 'broken.pem': 'no key', 'weak.pem': weak.toString(), 'open.pem': weak.toString() }
  for (const [name, text] of Object.entries(bad))
    await writeFile(join(servers.keysDir, name), text, { mode: name === 'open.pem' ? 0o644 : 0o600 })
  await until('all to be logged', () => Object.keys(bad).every(name => said(here, name) > 0))
  await rm(join(servers.keysDir, 'open.pem'))
  const after = await createKeyFile(servers.keysDir)
  await untilPublished(after.kid, next)
  for (const name of Object.keys(bad)) assert.equal(said(here, name), 1, name)
  assert.equal(await signedBy(here), next)
  for (const name of ['broken.pem', 'weak.pem', basename(after.file)]) await rm(join(servers.keysDir, name))
  await until('it to be gone', async () => {
    await pass('good_until', after.kid)
    return (await published(here)).length === 1
  })
})

test('an unreadable directory is reported, and the loaded key continues to sign', async () => {
  await rename(servers.keysDir, `${servers.keysDir}-away`)
  await until('the loss to be logged', () => said(here, 'no longer holds a usable key') === 1)
  await writeFile(servers.keysDir, 'not a directory')
  await until('the error to be logged', () => said(here, 'ENOTDIR') === 1)
  assert.equal(await signedBy(here), next)
  assert.equal((await send(here.url, 'GET /health/ready')).status, 200)
  await rm(servers.keysDir)
  await rename(`${servers.keysDir}-away`, servers.keysDir)
})

test('without the database the known keys are published; the new one follows when it is back', async () => {
  servers.postgres.kill('SIGKILL')
  const { kid, file } = await createKeyFile(servers.keysDir)
  await until('it to be logged', () => said(here, 'the record of published keys cannot be read') > 0)
  assert.deepEqual(await published(here), [next])
  await servers.postgres.restart()
  await untilPublished(kid, next)
  await until('signing in to work', async () => (await send(here.url, 'GET /health/ready')).status === 200)
  assert.equal(await signedBy(here), next)
  await copyFile(file, join(otherDir, basename(file)))
})

test('a withdrawn key is refused everywhere at once, for good; the next one signs without waiting', async () => {
  const env = { DATABASE_URL: servers.postgres.url, KEYS_DIR: servers.keysDir }
  const tokens = await signIn(here, account)
  assert.equal(kidOf(tokens.accessToken), next)
  await runKeys(['withdraw', next], env)
  await until('it to be refused', async () => {
    const accepted = await Promise.all(both.map(auth => isAccepted(auth, tokens.accessToken)))
    return !accepted.includes(true)
  })
  // The database says so at once; the ring of an instance follows at its next look.
  await until('it to be gone', async () => !(await published(here)).includes(next))
  const [left = '', ...more] = await published(here)
  assert.deepEqual(more, [])
  await untilPublished(left)
  for (const auth of both) {
    await assert.rejects(auth.peer.client(validation).validateToken({ token: tokens.accessToken }), TOKEN_INVALID)
    assert.equal((await refresh(auth, tokens)).status, 401)
    assert.equal(await signedBy(auth), left)
  }
  assert.ok((await readdir(servers.keysDir)).length === 2, 'its file is still there, and does not bring it back')
  await assert.rejects(runKeys(['withdraw', left], env), { message: /^no other key of .* is published: create one/ })
  await runKeys(['withdraw', left, '--force'], env)
  await until('nobody to be ready', async () => (await send(here.url, 'GET /health/ready')).status === 503)
  const { email, password } = account
  assert.equal((await send(here.url, 'POST /signin/basic', { body: { email, password } })).status, 503)
  const { kid } = await createKeyFile(servers.keysDir)
  await until('signing in to work', async () => (await send(here.url, 'GET /health/ready')).status === 200)
  await untilSigns(here, kid)
  assert.ok(await isAccepted(there, (await signIn(here, account)).accessToken))
})

test('no private key is in any log', async () => {
  const all = both.flatMap(({ log }) => log).join('')
  await mkdir(servers.keysDir, { recursive: true })
  for (const name of await readdir(servers.keysDir)) {
    const [, first = ''] = (await readFile(join(servers.keysDir, name), 'utf8')).split('\n')
    assert.ok(first.length > 40 && !all.includes(first))
  }
  assert.doesNotMatch(all, /PRIVATE KEY/)
})
