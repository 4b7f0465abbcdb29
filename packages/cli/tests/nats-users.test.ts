import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepareNatsUsers } from '../src/start/secrets.ts'
import { tempDir } from './support/supervisor.ts'

const config = {
  infra: ['nats' as const],
  services: {},
  nats: {
    users: ['auth', 'blog'],
    authorization: (of: (user: string) => string) => `a ${of('auth')} b ${of('blog')}`,
  },
}

test('each user keeps its own password, in files that only their owner can read', async () => {
  using dir = tempDir()
  const first = await prepareNatsUsers(config, dir.path)
  const second = await prepareNatsUsers(config, dir.path)
  assert.deepEqual(second, first)
  assert.notEqual(first?.passwords.auth, first?.passwords.blog)
  assert.match(first?.passwords.auth ?? '', /^[\w-]{32}$/)
  for (const name of ['passwords.json', 'nats.conf']) {
    assert.equal(statSync(join(dir.path, 'nats-users', name)).mode & 0o777, 0o600, name)
  }
})

test('a password file that a crash cut short is created again', async () => {
  using dir = tempDir()
  const first = await prepareNatsUsers(config, dir.path)
  writeFileSync(join(dir.path, 'nats-users', 'passwords.json'), '{"auth":"x')
  assert.notDeepEqual((await prepareNatsUsers(config, dir.path))?.passwords, first?.passwords)
})

test('a system that names no users has one for its services and one that may only look, and a system without NATS has none', async () => {
  using dir = tempDir()
  const users = await prepareNatsUsers({ infra: ['nats'], services: {} }, dir.path)
  assert.equal(users?.onlyUser, 'app')
  assert.equal(users?.observer, 'observer')
  const text = readFileSync(users?.file ?? '', 'utf8')
  for (const user of ['app', 'observer']) assert.match(text, new RegExp(users?.passwords[user] ?? 'none'))
  assert.match(
    text,
    /user: "observer"[^}]*publish: \{ allow: \["\$SRV\.>"\] \}\s+subscribe: \{ allow: \["_INBOX_observer\.>"\]/,
  )
  assert.equal(await prepareNatsUsers({ infra: [], services: {} }, dir.path), undefined)
})
