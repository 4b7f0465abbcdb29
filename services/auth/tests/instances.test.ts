// CI alone: packages/tsmicro/src/postgres/migrations/alone.test.ts and tests/platform/model/stale-reads.test.ts have several instances by hand.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import type { SignedIn, Tokens } from '@blog-platform/auth-contract'
import { DEMO_ADMIN, DEMO_API_KEY } from '../src/index.ts'
import { newcomer } from './support/accounts.ts'
import { send } from './support/http.ts'
import { runAuth, spawnAuth } from './support/process.ts'
import { startServers } from './support/servers.ts'

const servers = await startServers()

async function signedUp(url: string): Promise<Tokens> {
  const answer = await send<SignedIn>(url, 'POST /signup/basic', { body: newcomer() })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data.tokens
}

const statusOf = async (url: string, token: string) => (await send(url, 'GET /profile/mine', { token })).status

test('three instances that start at once on an empty database share tables, key, seeds and sessions', async () => {
  const env = { SEED_DEVELOPMENT_DATA: 'true' }
  const all = await Promise.all([spawnAuth(servers, env), spawnAuth(servers, env), spawnAuth(servers, env)])
  await Promise.all(all.map(each => each.says('auth is ready')))
  assert.deepEqual(await readdir(servers.keysDir), ['0001.pem'])
  const counts = `select (select count(*)::int from users) users, (select count(*)::int from api_keys) keys,
    (select count(*)::int from user_roles) roles, (select count(*)::int from schema_migrations) migrations`
  const migrations = (await readdir(new URL('../migrations/', import.meta.url))).length
  assert.deepEqual(await servers.sql(counts), [{ users: 1, keys: 1, roles: 1, migrations }])

  const [one, two] = all.map(({ url }) => url)
  assert.ok(one && two)
  const { email, password } = DEMO_ADMIN
  assert.equal((await send(two, 'POST /signin/basic', { body: { email, password } })).status, 200)
  const tokens = await signedUp(one)
  assert.equal(await statusOf(two, tokens.accessToken), 200)
  const renew = (url: string) =>
    send<Tokens>(url, 'POST /token/refresh', { token: tokens.accessToken, body: { refreshToken: tokens.refreshToken } })
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => renew(n % 2 ? one : two)))
  const next = answers[0]?.body.data
  assert.ok(next)
  for (const { body } of answers) assert.deepEqual(body.data, next)
  assert.deepEqual([await statusOf(one, tokens.accessToken), await statusOf(two, tokens.accessToken)], [401, 401])
  assert.equal((await send(two, 'DELETE /signout', { token: next.accessToken })).status, 200)
  assert.equal(await statusOf(one, next.accessToken), 401)

  for (const { kill } of all) kill('SIGTERM')
  for (const { exited, lines } of all) {
    assert.deepEqual(await exited, { code: 0, signal: null })
    const said = lines.join('\n')
    for (const secret of [new URL(servers.postgres.url).password, password, DEMO_API_KEY]) {
      assert.ok(!said.includes(secret), 'a secret is in the log')
    }
  }
})

test('without NATS it waits and logs that, and starts when NATS does; the same without PostgreSQL', async () => {
  for (const server of [servers.nats, servers.postgres]) server.kill('SIGKILL')
  const auth = await spawnAuth(servers)
  await auth.says('waiting for nats')
  assert.ok(!auth.lines.some(line => line.includes('auth is ready')))
  await servers.nats.restart()
  await auth.says('waiting for postgres')
  assert.ok(!auth.lines.some(line => line.includes('auth is ready')))
  await servers.postgres.restart()
  await auth.says('auth is ready')
  await signedUp(auth.url)
})

test('a taken port is reported in one line', async () => {
  const port = new URL(servers.postgres.url).port
  const { code, output } = await runAuth({ ...servers.env, PORT: port })
  assert.equal(code, 1)
  assert.match(output, new RegExp(`${port}.*PORT`))
})
