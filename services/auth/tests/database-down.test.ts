import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { profile, validation } from '@blog-platform/auth-contract'
import type { Health } from 'tsmicro'
import { ApiError } from 'tsmicro/contract'
import { grant, newcomer, refreshed, signIn, signUp } from './support/accounts.ts'
import { addAuth, startAuth } from './support/auth.ts'
import { type Answer, assertFailure, assertInvalid, send } from './support/http.ts'
import { until } from './support/until.ts'

const auth = await startAuth()
/** Another instance, which gives up early. */
const hasty = await addAuth(auth, { env: { REQUEST_TIMEOUT_MS: '2000', KEY_ACTIVATION_SECONDS: '60' } })
const account = await signUp(auth)
before(() => grant(auth, account, 'ADMIN'))

const { accessToken: token, id } = account

/** Everything that needs the database. */
function ask({ url } = auth): Promise<Answer>[] {
  const { email, password, refreshToken } = account
  return [
    send(url, 'POST /signup/basic', { body: newcomer() }),
    send(url, 'POST /signin/basic', { body: { email, password } }),
    send(url, 'POST /signin/basic', { body: { ...newcomer(), name: undefined } }),
    send(url, 'POST /token/refresh', { token, body: { refreshToken } }),
    send(url, 'DELETE /signout', { token }),
    send(url, `GET /profile/id/${id}`),
    send(url, `GET /profile/id/${randomUUID()}`),
    send(url, 'GET /profile/mine', { token }),
    send(url, 'PUT /profile/mine', { token, body: { name: 'New Name' } }),
    send(url, `PUT /admin/users/${id}/roles`, { token, body: { roles: ['ADMIN'] } }),
    send(url, 'POST /verify/apikey', { body: { key: 'unknown' } }),
    send(url, 'GET /verify/apikey', { headers: { 'x-api-key': 'unknown' } }),
  ]
}

const askPeer = (): Promise<unknown>[] => [
  auth.peer.client(validation).validateToken({ token }),
  auth.peer.client(validation).validateRole({ userId: id, role: 'ADMIN' }),
  auth.peer.client(profile).publicProfile({ id }),
]

async function assertNotNow(instance: typeof auth, statuses: readonly number[]): Promise<void> {
  for (const answer of await Promise.all(ask(instance))) {
    assert.ok(statuses.includes(answer.status), answer.text)
    assertFailure(answer, answer.status, answer.status === 503 ? 'SERVICE_UNAVAILABLE' : 'DEADLINE_EXCEEDED')
  }
  for (const outcome of await Promise.allSettled(askPeer())) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ApiError)
    assert.ok(statuses.includes(outcome.reason.status), outcome.reason.code)
  }
}

const isReady = async () => (await send(auth.url, 'GET /health/ready')).status === 200
const stateOf = async (name: string) => {
  const { status, body } = await send<Health>(auth.url, 'GET /health')
  assert.equal(status, 200)
  return body.data.dependencies[name]?.status
}

/** Checks every connection of the pool, by sending more requests at once than it has. */
async function assertRecovered(): Promise<void> {
  await until('ready again', isReady)
  const answers = await Promise.all(Array.from({ length: 30 }, () => send(auth.url, 'GET /profile/mine', { token })))
  for (const answer of answers) assert.equal(answer.status, 200, answer.text)
  assert.equal(await stateOf('postgres'), 'up')
  const tokens = await signIn(auth, account)
  await refreshed(auth, tokens)
}

test('without the database everything that needs it answers 503, and recovers by itself', async () => {
  auth.postgres.kill('SIGKILL')
  await until('noticed', async () => (await stateOf('postgres')) === 'down')
  assert.equal(await stateOf('nats'), 'up')
  assert.equal((await send(auth.url, 'GET /health/ready')).status, 503)
  await assertNotNow(auth, [503])
  assertFailure(await send(auth.url, 'GET /profile/mine', { token: 'gibberish' }), 401, 'UNAUTHENTICATED')
  assertInvalid(await send(auth.url, 'POST /signin/basic', { body: {} }), '')
  const keys = await send(hasty.url, 'GET /.well-known/jwks.json')
  assert.deepEqual([keys.status, keys.headers.get('cache-control')], [200, 'public, max-age=30'])
  await auth.postgres.restart()
  await assertRecovered()
})

test('requests in progress when it dies get an error', async () => {
  const asked = Promise.all(ask().filter((_, n) => n > 4))
  auth.postgres.kill('SIGKILL')
  for (const { status, text } of await asked) assert.ok([200, 401, 404, 503].includes(status), text)
  await auth.postgres.restart()
  await assertRecovered()
})

test('a frozen database costs no more than the time a request may take', async () => {
  auth.postgres.kill('SIGSTOP')
  await assertNotNow(hasty, [503, 504])
  await until('noticed', async () => (await stateOf('postgres')) === 'down')
  auth.postgres.kill('SIGCONT')
  await assertRecovered()
})
