import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { SignedIn, Tokens } from '@blog-platform/auth-contract'
import { newcomer } from './support/accounts.ts'
import { send } from './support/http.ts'
import { type AuthProcess, spawnAuth } from './support/process.ts'
import { startServers } from './support/servers.ts'
import { claimsOf } from './support/tokens.ts'
import { until } from './support/until.ts'

const servers = await startServers()
const [one, two] = await Promise.all([spawnAuth(servers), spawnAuth(servers)])
await Promise.all([one, two].map(each => each.says('auth is ready')))
const urls = { one: one.url, two: two.url }

const renewed = (auth: AuthProcess) => auth.lines.filter(line => line.includes('/token/refresh')).length

async function signedUp(): Promise<Tokens> {
  const answer = await send<SignedIn>(urls.two, 'POST /signup/basic', { body: newcomer() })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data.tokens
}

async function renew({ accessToken: token, refreshToken }: Tokens): Promise<Tokens> {
  const answer = await send<Tokens>(urls.two, 'POST /token/refresh', { token, body: { refreshToken } })
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data
}

/** A renewal that is sent, and given up once the other side's kernel has received it. */
async function giveUp({ accessToken, refreshToken }: Tokens): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` }
  const abandoned = request(`${urls.one}/token/refresh`, { method: 'POST', headers, agent: false })
  abandoned.on('error', () => undefined)
  await new Promise<void>(resolve => abandoned.end(JSON.stringify({ refreshToken }), resolve))
  const closed = Promise.withResolvers<void>()
  abandoned.on('close', closed.resolve)
  abandoned.destroy()
  await closed.promise
}

async function pass(seconds: number, { accessToken }: Tokens): Promise<void> {
  await servers.sql(`update sessions set issued_at = issued_at - $1 * interval '1 s' where id = $2`, [
    seconds,
    claimsOf(accessToken).sid,
  ])
}

test('an instance that was frozen ends no session for callers who have given up and renewed elsewhere', async () => {
  const owners = await Promise.all(Array.from({ length: 8 }, signedUp))
  one.kill('SIGSTOP')
  const newest: Tokens[] = []
  try {
    for (const [index, tokens] of owners.entries()) {
      await giveUp(tokens)
      const next = await renew(tokens)
      newest.push(index % 2 ? await renew(next) : next)
      // By the database's clock, the requests that the instance finds are long over.
      await pass(16, next)
    }
  } finally {
    one.kill('SIGCONT')
  }
  await until('the frozen one to have gone through them', () => renewed(one) >= owners.length)
  for (const tokens of newest) {
    assert.equal((await send(urls.two, 'GET /profile/mine', { token: tokens.accessToken })).status, 200)
    await renew(tokens)
  }
  // It works, and detects theft, as if nothing had happened.
  const [stolen] = owners
  assert.ok(stolen)
  const { accessToken: token, refreshToken } = stolen
  await until('the theft to be found out', async () => {
    const answer = await send(urls.one, 'POST /token/refresh', { token, body: { refreshToken } })
    assert.equal(answer.status, 401, answer.text)
    const [row] = await servers.sql<{ ended: boolean }>(
      'select revoked_at is not null as ended from sessions where id = $1',
      [claimsOf(token).sid],
    )
    return row?.ended === true
  })
})

test('a slow COMMIT does not count against callers who only received failures', async () => {
  const tokens = await signedUp()
  const { sid } = claimsOf(tokens.accessToken)
  // Delays the COMMIT of each renewal for as long as somebody holds the lock.
  await servers.sql(`create or replace function held() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(4242); return new; end $$`)
  await servers.sql(`create constraint trigger held after update of refresh_id on sessions
    deferrable initially deferred for each row execute function held()`)
  const lock = await servers.hold('select pg_advisory_lock(4242)')
  const ask = async () => {
    const { accessToken: token, refreshToken } = tokens
    return (await send(urls.two, 'POST /token/refresh', { token, body: { refreshToken } })).status
  }
  const [first] = await Promise.all([ask(), ask()])
  assert.ok(first === 503 || first === 504, `${first}`)
  await lock.release()
  await until('the COMMIT to be done', async () => {
    const [row] = await servers.sql<{ done: boolean }>(
      'select previous_refresh_id is not null as done from sessions where id = $1',
      [sid],
    )
    return row?.done === true
  })
  await servers.sql('drop trigger held on sessions')
  await pass(30, tokens)
  await renew(await renew(tokens))
})
