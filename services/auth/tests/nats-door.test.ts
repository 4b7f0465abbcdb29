import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import { connect, type Msg } from '@nats-io/transport-node'
import { VALIDATION_FAILED } from 'tsmicro'
import { signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertSuccess, send } from './support/http.ts'

const auth = await startAuth()
const account = await signUp(auth, { profilePicUrl: 'https://example.com/p.png' })
const plain = await connect({ servers: auth.nats.url.replace('nats://', '') })
auth.cleanUp.defer(() => plain.close())

const ask = (subject: string, body: string | Uint8Array) => plain.request(subject, body, { timeout: 5000 })
const jsonOf = (msg: Msg) => msg.json() as Record<string, unknown>

test('a plain client, as in another language, gets answers in the same envelope', async () => {
  const { id, name, accessToken: token } = account
  const { data } = jsonOf(await ask('auth.validate.token', JSON.stringify({ data: { token } }))) as {
    data: { sessionId: string }
  }
  const profilePicUrl = 'https://example.com/p.png'
  assert.deepEqual(data, { id, name, profilePicUrl, sessionId: data.sessionId })
  const role = async (asked: string) =>
    jsonOf(await ask('auth.validate.role', JSON.stringify({ data: { userId: id, role: asked } })))
  assert.deepEqual(await role('LEARNER'), { data: { valid: true } })
  assert.deepEqual(await role('AUTHOR'), { data: { valid: false } })
  const profile = await ask('auth.profile.public', JSON.stringify({ data: { id } }))
  assert.deepEqual(jsonOf(profile), { data: { id, name, profilePicUrl } })
})

test('a failure is reported in body and headers', async () => {
  const msg = await ask('auth.validate.token', JSON.stringify({ data: { token: 'gibberish' } }))
  assert.deepEqual(jsonOf(msg), { error: '401:The token is not valid' })
  assert.equal(msg.headers?.get('Nats-Service-Error-Code'), '401')
  assert.equal(msg.headers?.get('Nats-Service-Error'), 'The token is not valid')
  assert.equal(msg.headers?.get('Tsmicro-Error'), 'TOKEN_INVALID')
  const unknown = await ask('auth.profile.public', JSON.stringify({ data: { id: randomUUID() } }))
  assert.deepEqual(jsonOf(unknown), { error: '404:There is no such user' })
})

test('the typed client gets typed answers and errors', async () => {
  const user = await auth.peer.client(validation).validateToken({ token: account.accessToken })
  assert.equal(user.id, account.id)
  await assert.rejects(auth.peer.client(validation).validateToken({ token: 'x' }), TOKEN_INVALID)
  const roleless = { userId: account.id, role: 'ROOT' }
  await assert.rejects(auth.peer.request('auth.validate.role', roleless), VALIDATION_FAILED)
  await assert.rejects(auth.peer.request('auth.validate.token', { token: '' }), VALIDATION_FAILED)
  await assert.rejects(auth.peer.request('auth.validate.token', { token: 'x'.repeat(8193) }), VALIDATION_FAILED)
  await assert.rejects(auth.peer.request('auth.validate.role', { userId: 'x', role: 'ADMIN' }), VALIDATION_FAILED)
})

test('unknown fields of a request are ignored, because services are deployed one by one', async () => {
  const body = { data: { userId: account.id, role: 'LEARNER', later: 1 }, more: true }
  assert.deepEqual(jsonOf(await ask('auth.validate.role', JSON.stringify(body))), { data: { valid: true } })
})

test('any malformed message is answered with 400', async () => {
  const id = account.id
  const hostile: (string | Uint8Array)[] = [
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{"data":',
    '{"data":null}',
    '{"data":[]}',
    '{"data":"x"}',
    '{"data":{"token":null,"userId":null,"role":null}}',
    '{"data":{"token":{"$ne":""},"userId":{},"role":[]}}',
    `{"data":{"userId":"${id}\\u0000","role":"ADMIN"}}`,
    `{"data":{"userId":"${id}","role":"__proto__"}}`,
    '{"__proto__":{"data":{"token":"x"}}}',
    new Uint8Array([0, 255, 254, 123]),
    '['.repeat(50_000),
  ]
  for (const subject of ['auth.validate.token', 'auth.validate.role', 'auth.profile.public']) {
    for (const body of hostile) {
      const msg = await ask(subject, body)
      assert.match(String(jsonOf(msg).error), /^400:/, `${subject} ${String(body).slice(0, 80)}`)
      assert.equal(msg.headers?.get('Nats-Service-Error-Code'), '400')
      assert.doesNotMatch(msg.string(), /stack|select |at \//)
    }
  }
  for (const token of ['\\u0000', '\\ud800', 'a.b.c', '..', 'é'.repeat(4000)]) {
    const msg = await ask('auth.validate.token', `{"data":{"token":"${token}"}}`)
    assert.match(String(jsonOf(msg).error), /^40[01]:/, token.slice(0, 20))
  }
  assert.ok(await auth.peer.client(validation).validateRole({ userId: id, role: 'LEARNER' }))
})

test('the public keys are returned for any request', async () => {
  for (const body of ['', '{}', '{"data":{}}']) {
    const { data } = jsonOf(await ask('auth.keys', body)) as { data: { keys: object[] } }
    assert.equal(data.keys.length, 1, body)
  }
})

test('services tools see every endpoint', async () => {
  const info = jsonOf(await ask('$SRV.INFO.auth', '')) as {
    name: string
    endpoints: { name: string; subject: string }[]
  }
  assert.equal(info.name, 'auth')
  assert.deepEqual(
    info.endpoints
      .map(({ subject }) => subject)
      .filter(subject => !subject.endsWith('.batch'))
      .sort(),
    [
      'auth.access.changes',
      'auth.access.verify',
      'auth.keys',
      'auth.profile.public',
      'auth.validate.role',
      'auth.validate.token',
    ],
  )
})

test('health and the description of the interface', async () => {
  const health = await send<{ timestamp: string; status: string; dependencies: object }>(auth.url, 'GET /health')
  assertSuccess(health, 'Success', health.body.data)
  assert.equal(health.body.data.status, 'ok')
  assert.ok(!Number.isNaN(Date.parse(health.body.data.timestamp)))
  const dependencies = ['announcements of users', 'nats', 'postgres', 'signing keys']
  assert.deepEqual(Object.keys(health.body.data.dependencies).sort(), dependencies)
  const ready = await send(auth.url, 'GET /health/ready')
  assert.equal(ready.status, 200)
  const openapi = await send(auth.url, 'GET /openapi.json')
  for (const path of [
    '/signup/basic',
    '/signin/basic',
    '/token/refresh',
    '/signout',
    '/profile/mine',
    '/admin/users/{id}/roles',
  ]) {
    assert.ok(openapi.text.includes(`"${path}"`), path)
  }
  assert.ok(!openapi.text.includes('/verify/apikey'), 'internal routes are not for the public')
})
