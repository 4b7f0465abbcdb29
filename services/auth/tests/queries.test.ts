import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validation } from '@blog-platform/auth-contract'
import type { LogEvent } from 'kysely'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { createPostgres } from 'tsmicro/postgres'
import type { Tables } from '../src/database.ts'
import { grant, refreshed, signIn, signUp } from './support/accounts.ts'
import { addAuth } from './support/auth.ts'
import { send } from './support/http.ts'
import { startServers } from './support/servers.ts'

const servers = await startServers()
const seen = new Map<string, readonly unknown[]>()
const pool = new pg.Pool({ connectionString: servers.postgres.url })
pool.on('connect', client => client.on('error', () => undefined))
servers.cleanUp.defer(() => pool.end())
let count = 0
const log = ({ query }: LogEvent) => {
  count += 1
  seen.set(query.sql, query.parameters)
}
const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), log })
const postgres = {
  ...createPostgres<Tables>({ url: servers.postgres.url }),
  db,
  transaction: <T>(run: Parameters<ReturnType<typeof db.transaction>['execute']>[0]) =>
    db.transaction().execute(run) as Promise<T>,
}
const auth = await addAuth(servers, { env: { SEED_DEVELOPMENT_DATA: 'true' }, overrides: { postgres } })

const countOf = async (where: string) =>
  (await auth.sql<{ n: number }>(`select count(*)::int n from sessions where ${where}`))[0]?.n ?? -1

const ENDED = `insert into sessions (id, user_id, access_id, refresh_id, issued_at, expires_at)
  select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), now() - interval '9 days', now() + $2::interval
  from generate_series(1, $3)`

test('each new session deletes a few ended ones; those that may still be needed remain', async () => {
  const account = await signUp(auth)
  await auth.sql(ENDED, [account.id, '-2 days', 25])
  await auth.sql(ENDED, [account.id, '-1 hour', 5])
  await signIn(auth, account)
  assert.equal(await countOf(`expires_at < now() - interval '1 day'`), 15)
  await Promise.all([signIn(auth, account), signIn(auth, account), signUp(auth)])
  assert.equal(await countOf(`expires_at < now() - interval '1 day'`), 0)
  assert.equal(await countOf('expires_at < now()'), 5)
  assert.equal(await countOf('expires_at > now()'), 5)
})

test('what is asked for each request or all the time takes one statement', async () => {
  const { accessToken: token } = await signUp(auth)
  const peer = auth.peer.client(validation)
  const { position } = await peer.accessChanges({})
  // What the service does by itself may come in between, so the least of some attempts counts.
  const takes = async (ask: () => Promise<unknown>) => {
    const taken: number[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = count
      await ask()
      taken.push(count - before)
    }
    return Math.min(...taken)
  }
  assert.equal(await takes(() => peer.verifyAccess({ token })), 1)
  assert.equal(await takes(() => peer.accessChanges({ since: position })), 1)
  // Who calls, with what they asked for.
  assert.equal(await takes(() => send(auth.url, 'GET /profile/mine', { token })), 1)
})

test('every query uses an index, no matter how many rows there are', async () => {
  const account = await signUp(auth)
  await grant(auth, account, 'ADMIN')
  const { accessToken: token } = await refreshed(auth, account)
  await send(auth.url, 'POST /verify/apikey', { body: { key: 'x' } })
  const { body } = await send<{ id: string }>(auth.url, 'POST /admin/apikeys', { token, body: { comment: 'x' } })
  await send(auth.url, 'GET /admin/apikeys', { token })
  await send(auth.url, `DELETE /admin/apikeys/${body.data.id}`, { token })
  await send(auth.url, 'PUT /profile/mine', { token, body: { name: 'New Name' } })
  for (const roles of [['ADMIN'], ['AUTHOR']]) {
    const answer = await send(auth.url, `PUT /admin/users/${account.id}/roles`, { token, body: { roles } })
    assert.equal(answer.status, 200, answer.text)
  }
  await send(auth.url, 'DELETE /signout', { token })
  await auth.sql(`insert into users (id, email, password_hash, name)
    select gen_random_uuid(), n || '@example.com', 'x', 'x' from generate_series(1, 20000) n`)
  await auth.sql(
    `insert into user_roles select users.id, roles.id from users, roles where roles.code = 'LEARNER' on conflict do nothing`,
  )
  await auth.sql(`insert into sessions (id, user_id, access_id, refresh_id, issued_at, expires_at)
    select gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), now(), now() + interval '1 day' from users`)
  await auth.sql(
    `insert into api_keys (key_hash, comment) select sha256(n::text::bytea), 'x' from generate_series(1, 20000) n`,
  )
  await auth.sql(
    `insert into sign_in_attempts select sha256(n::text::bytea), 1, now() + n * interval '1 s' from generate_series(1, 20000) n`,
  )
  await auth.sql('analyze')
  const explained = [...seen].filter(([sql]) => /^(select|update|delete|with)/.test(sql))
  assert.ok(explained.length >= 12, `only ${explained.length} queries were seen`)
  for (const [sql, parameters] of explained) {
    const plan = await auth.sql<{ 'QUERY PLAN': string }>(`explain ${sql}`, parameters)
    const text = plan.map(row => row['QUERY PLAN']).join('\n')
    assert.doesNotMatch(text, /Seq Scan on (users|user_roles|sessions|api_keys|sign_in_attempts)/, `${sql}\n${text}`)
  }
})
