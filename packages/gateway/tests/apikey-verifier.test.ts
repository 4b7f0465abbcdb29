import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, protectedGateway, type VerifierHandler, YES } from './apikey-support.ts'
import { send, until } from './support.ts'

/** A verifier that fails in each of these ways must lead to 503: never to 401, and never past the check. */
const failures: Record<string, VerifierHandler> = {
  hangs: () => {},
  'drops the connection': (_key, res) => res.destroy(),
  'answers 500': (_key, res) => res.writeHead(500).end(YES),
  'answers 503': (_key, res) => res.writeHead(503).end('{"valid":false}'),
  'answers 404': (_key, res) => res.writeHead(404).end('{"valid":false}'),
  'answers 403': (_key, res) => res.writeHead(403).end(),
  redirects: (_key, res) => res.writeHead(302, { location: '/elsewhere' }).end(YES),
  'answers 204': (_key, res) => res.writeHead(204).end(),
  'answers 201': (_key, res) => res.writeHead(201).end(YES),
  'answers an empty body': (_key, res) => res.end(),
  'answers something other than JSON': (_key, res) => res.end('<html>valid</html>'),
  'answers incomplete JSON': (_key, res) => res.end(YES.slice(0, -1)),
  'answers null': (_key, res) => res.end('null'),
  'answers a list': (_key, res) => res.end('[true]'),
  'answers without the field': (_key, res) => res.end('{"ok":true}'),
  'answers text for a verdict': (_key, res) => res.end(YES.replace('true', '"true"')),
  'answers a number for a verdict': (_key, res) => res.end(YES.replace('true', '1')),
  'does not say whose key it is': (_key, res) => res.end('{"valid":true,"permissions":[]}'),
  'answers an empty id': (_key, res) => res.end('{"valid":true,"id":"","permissions":[]}'),
  'answers a number for an id': (_key, res) => res.end('{"valid":true,"id":7,"permissions":[]}'),
  'answers an id that could end a header': (_key, res) => res.end('{"valid":true,"id":"a\\r\\nb","permissions":[]}'),
  'answers a long id': (_key, res) => res.end(`{"valid":true,"id":"${'a'.repeat(129)}","permissions":[]}`),
  'does not say what is permitted': (_key, res) => res.end('{"valid":true,"id":"a"}'),
  'answers text for permissions': (_key, res) => res.end('{"valid":true,"id":"a","permissions":"READ"}'),
  'answers an object for permissions': (_key, res) => res.end('{"valid":true,"id":"a","permissions":{"READ":true}}'),
  'answers null among the permissions': (_key, res) => res.end('{"valid":true,"id":"a","permissions":["READ",null]}'),
  'answers a list in a permission': (_key, res) => res.end('{"valid":true,"id":"a","permissions":["READ,WRITE"]}'),
  'answers too long a body': (_key, res) => res.end(YES.replace('{', `{"more":"${'x'.repeat(100_000)}",`)),
  'answers an endless body': (_key, res) => {
    const more = () => void (res.destroyed || res.write('x'.repeat(1000), more))
    more()
  },
  'stops half-way': (_key, res) => res.writeHead(200, { 'content-length': 14 }).write('{"valid"'),
  'drips bytes': (_key, res) => {
    res.writeHead(200, { 'content-length': 1000 })
    const timer = setInterval(() => res.write(' '), 20)
    res.on('close', () => clearInterval(timer))
  },
}

for (const [fault, verifier] of Object.entries(failures)) {
  test(`a verifier that ${fault}: 503`, async () => {
    await using setup = await protectedGateway({ verifier, config: { timeout_ms: 200 } })
    const answer = await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD, 'x-request-id': 'r' } })
    assert.equal(answer.status, 503)
    assert.deepEqual(answer.json, {
      code: '10001',
      status: 503,
      message: 'The API key cannot be verified right now',
      error: 'SERVICE_UNAVAILABLE',
      requestId: 'r',
    })
    assert.deepEqual(setup.reached, [])
  })
}

test('a verifier that is down: 503 for any key, and the open route is untouched', async () => {
  await using setup = await protectedGateway()
  await setup.auth[Symbol.asyncDispose]()
  for (const key of [GOOD, 'wrong']) {
    assert.equal((await send(setup.port, { path: '/api', headers: { 'x-api-key': key } })).status, 503)
  }
  assert.equal((await send(setup.port, { path: '/api' })).status, 401)
  assert.deepEqual(setup.reached, [])
  assert.equal((await send(setup.port, { path: '/public' })).status, 200)
})

test('more questions than connections, and no answers: every request gets 503', async () => {
  await using setup = await protectedGateway({ verifier: () => {}, config: { timeout_ms: 500 } })
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
  const answers = await Promise.all(keys.map(key => send(setup.port, { path: '/api', headers: { 'x-api-key': key } })))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]))
  assert.deepEqual(setup.reached, [])
})

test('a verifier may reject a key with 401', async () => {
  await using setup = await protectedGateway({ verifier: (_key, res) => res.writeHead(401).end() })
  const { status, json } = await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })
  assert.deepEqual([status, json.error], [401, 'API_KEY_INVALID'])
})

test('a failure is not remembered: the next request asks again', async () => {
  let broken = true
  await using setup = await protectedGateway({
    verifier: (_key, res) => (broken ? res.writeHead(500).end() : res.end(YES)),
  })
  const status = async () => (await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })).status
  assert.equal(await status(), 503)
  broken = false
  assert.equal(await status(), 200)
})

test('a remembered yes outlives the verifier only until it expires', async () => {
  await using setup = await protectedGateway({ config: { cache_ttl: 0.1 } })
  const status = async () => (await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })).status
  assert.equal(await status(), 200)
  await setup.auth[Symbol.asyncDispose]()
  await until(async () => (await status()) === 503, 'the verdict has expired')
})

test('the verifier gets its own request, with nothing of the client or the forwarded headers', async () => {
  let seen: object = {}
  await using setup = await protectedGateway({
    verifier: (key, res, { method, url, headers }) => {
      seen = { key, method, url, host: headers.host, names: Object.keys(headers).filter(name => name.startsWith('x-')) }
      res.end(YES)
    },
  })
  await send(setup.port, { path: '/api', method: 'DELETE', headers: { 'x-api-key': GOOD, 'x-other': '1' } })
  assert.deepEqual(seen, { key: GOOD, method: 'POST', url: '/verify/apikey', host: 'auth:8001', names: [] })
})
