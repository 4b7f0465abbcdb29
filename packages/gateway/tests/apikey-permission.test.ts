import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, protectedGateway, type VerifierHandler, yes } from './apikey-support.ts'
import { configOf, echo, gatewayFor, send, textOf, until, upstream } from './support.ts'

/** A verifier that grants the valid key a single permission. */
function permitting(held: string): VerifierHandler {
  return (key, res) => res.end(key === GOOD ? yes(held) : '{"valid":false}')
}

const headers = { 'x-api-key': GOOD, 'x-request-id': 'r' }

test('a valid key with the permission passes', async () => {
  await using setup = await protectedGateway({ verifier: permitting('READ'), config: { permission: 'READ' } })
  assert.equal((await send(setup.port, { path: '/api', headers })).status, 200)
})

test('a valid key without the permission: 403 in the envelope, and the service is not reached', async () => {
  for (const held of ['READ', 'write', 'WRIT', 'WRITE2']) {
    await using setup = await protectedGateway({ verifier: permitting(held), config: { permission: 'WRITE' } })
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
  }
})

test('an invalid key: 401, whatever the permission', async () => {
  await using setup = await protectedGateway({ verifier: permitting('READ'), config: { permission: 'READ' } })
  const { status, json } = await send(setup.port, { path: '/api', headers: { 'x-api-key': 'wrong' } })
  assert.deepEqual([status, json.error], [401, 'API_KEY_INVALID'])
})

test('without a permission in the config, any valid key passes', async () => {
  await using setup = await protectedGateway({ verifier: (_key, res) => res.end(yes()) })
  const { status, json } = await send(setup.port, { path: '/api', headers })
  assert.deepEqual([status, (json.headers as Record<string, string>)['x-consumer-permissions']], [200, ''])
})

/** Two routes to one service: reading needs READ, writing needs WRITE, each with its own times to live. */
async function readAndWrite(verifier: (key: string) => string, readTtl = 60, writeTtl = 60) {
  const asked: string[] = []
  const service = await upstream(echo)
  const auth = await upstream((req, res) => {
    void textOf(req).then(text => {
      const { key } = JSON.parse(text) as { key: string }
      asked.push(key)
      res.end(verifier(key))
    })
  })
  const needs = (permission: string, cache_ttl: number) => ({
    name: 'apikey-auth',
    config: { verify_urls: [`http://${auth.authority}/`], cache_ttl, negative_cache_ttl: 60, permission },
  })
  const routes = [
    { paths: ['/'], methods: ['GET'], plugins: [needs('READ', readTtl)] },
    { paths: ['/'], methods: ['POST'], plugins: [needs('WRITE', writeTtl)] },
  ]
  const gateway = await gatewayFor(configOf([{ name: 'api', url: `http://${service.authority}`, routes }]))
  const status = async (method: string, key: string) =>
    (await send(gateway.port, { path: '/', method, headers: { 'x-api-key': key } })).status
  const dispose = async () => {
    await gateway.close()
    await auth[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
  }
  return { asked, status, [Symbol.asyncDispose]: dispose }
}

test('one verdict on a key serves every permission, in either order', async () => {
  await using setup = await readAndWrite(() => yes('READ'))
  const { asked, status } = setup
  assert.deepEqual([await status('GET', 'a'), await status('POST', 'a'), await status('GET', 'a')], [200, 403, 200])
  assert.deepEqual([await status('POST', 'b'), await status('GET', 'b'), await status('POST', 'b')], [403, 200, 403])
  assert.deepEqual(asked, ['a', 'b'])
})

test('a route with a shorter time to live asks by itself', async () => {
  await using setup = await readAndWrite(() => yes('READ', 'WRITE'), 60, 0)
  const { asked, status } = setup
  for (const method of ['GET', 'POST', 'POST', 'GET']) assert.equal(await status(method, 'a'), 200)
  assert.equal(asked.length, 3)
})

test('a newly granted permission counts once the verdict has expired', async () => {
  let held = 'READ'
  await using setup = await protectedGateway({
    verifier: (...asked) => permitting(held)(...asked),
    config: { permission: 'WRITE', cache_ttl: 0.05 },
  })
  const status = async () => (await send(setup.port, { path: '/api', headers })).status
  assert.equal(await status(), 403)
  held = 'WRITE'
  await until(async () => (await status()) === 200, 'the permission counts')
})
