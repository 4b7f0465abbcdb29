import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, protectedGateway, type VerifierHandler } from './apikey-support.ts'
import { configOf, echo, gatewayFor, send, textOf, until, upstream } from './support.ts'

/** A verifier of which the good key may do one thing. */
function permitting(held: string): VerifierHandler {
  return (key, res, _req, permission) => {
    const valid = key === GOOD
    res.end(JSON.stringify({ valid, ...(permission && { permitted: valid && permission === held }) }))
  }
}

const headers = { 'x-api-key': GOOD, 'x-request-id': 'r' }

test('a good key with the permission passes', async () => {
  await using setup = await protectedGateway({ verifier: permitting('READ'), config: { permission: 'READ' } })
  assert.equal((await send(setup.port, { path: '/api', headers })).status, 200)
})

test('a good key without the permission: 403 in the envelope, and the service is not reached', async () => {
  await using setup = await protectedGateway({ verifier: permitting('READ'), config: { permission: 'WRITE' } })
  const answer = await send(setup.port, { path: '/api', headers })
  assert.equal(answer.status, 403)
  assert.deepEqual(answer.json, {
    code: '10001',
    status: 403,
    message: 'This API key does not permit that',
    error: 'API_KEY_FORBIDDEN',
    requestId: 'r',
  })
  assert.deepEqual(setup.reached, [])
})

test('a key that is not good is 401, whatever the permission', async () => {
  await using setup = await protectedGateway({ verifier: permitting('READ'), config: { permission: 'READ' } })
  const { status, json } = await send(setup.port, { path: '/api', headers: { 'x-api-key': 'wrong' } })
  assert.deepEqual([status, json.error], [401, 'API_KEY_INVALID'])
})

test('without a permission in the config the question and the answer have their old form', async () => {
  const asked: (string | undefined)[] = []
  const verifier: VerifierHandler = (_key, res, _req, permission) => {
    asked.push(permission)
    res.end('{"valid":true,"permitted":false}')
  }
  await using setup = await protectedGateway({ verifier })
  assert.equal((await send(setup.port, { path: '/api', headers })).status, 200)
  assert.deepEqual(asked, [undefined])
})

/** A yes that says nothing usable of the permission is no answer to the question: 503, never past the check. */
for (const permitted of [undefined, null, 'true', 1, 'READ', ['READ'], {}]) {
  test(`a verifier that answers permitted: ${JSON.stringify(permitted)}: 503`, async () => {
    const verifier: VerifierHandler = (_key, res) => res.end(JSON.stringify({ valid: true, permitted }))
    await using setup = await protectedGateway({ verifier, config: { permission: 'READ' } })
    const { status, json } = await send(setup.port, { path: '/api', headers })
    assert.deepEqual([status, json.error], [503, 'SERVICE_UNAVAILABLE'])
    assert.deepEqual(setup.reached, [])
  })
}

test('routes with different permissions do not share a verdict, in either order', async () => {
  const asked: string[] = []
  await using service = await upstream(echo)
  await using auth = await upstream((req, res) => {
    void textOf(req).then(text => {
      const { permission } = JSON.parse(text) as { permission: string }
      asked.push(permission)
      res.end(JSON.stringify({ valid: true, permitted: permission === 'READ' }))
    })
  })
  const needs = (permission: string) => ({
    name: 'apikey-auth',
    config: { verify_url: `http://${auth.authority}/`, cache_ttl: 60, negative_cache_ttl: 60, permission },
  })
  const routes = [
    { paths: ['/'], methods: ['GET'], plugins: [needs('READ')] },
    { paths: ['/'], methods: ['POST'], plugins: [needs('WRITE')] },
  ]
  await using gateway = await gatewayFor(configOf([{ name: 'api', url: `http://${service.authority}`, routes }]))
  const status = async (method: string, key: string) =>
    (await send(gateway.port, { path: '/', method, headers: { 'x-api-key': key } })).status
  assert.deepEqual([await status('GET', 'a'), await status('POST', 'a'), await status('GET', 'a')], [200, 403, 200])
  assert.deepEqual([await status('POST', 'b'), await status('GET', 'b'), await status('POST', 'b')], [403, 200, 403])
  assert.deepEqual(asked, ['READ', 'WRITE', 'WRITE', 'READ'])
})

test('a permission that is granted counts when the no has expired', async () => {
  let held = 'READ'
  await using setup = await protectedGateway({
    verifier: (...asked) => permitting(held)(...asked),
    config: { permission: 'WRITE', negative_cache_ttl: 0.05 },
  })
  const status = async () => (await send(setup.port, { path: '/api', headers })).status
  assert.equal(await status(), 403)
  held = 'WRITE'
  await until(async () => (await status()) === 200, 'the permission counts')
})
