import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONSUMER, GOOD, honest, protectedGateway, YES } from './apikey-support.ts'
import { configOf, echo, gatewayFor, rawExchange, recordingLog, send, until, upstream } from './support.ts'

test('a valid key is accepted, and is not forwarded', async () => {
  await using setup = await protectedGateway()
  const { status, json } = await send(setup.port, { path: '/api/x', headers: { 'X-API-Key': GOOD } })
  assert.equal(status, 200)
  assert.equal(json.path, '/x')
  assert.equal((json.headers as Record<string, string>)['x-api-key'], undefined)
  assert.ok(!JSON.stringify(json).includes(GOOD))
})

test('no key: 401 in the envelope, neither verifier nor service is asked', async () => {
  await using setup = await protectedGateway()
  for (const headers of [
    {},
    { 'x-api-key': '' },
    { 'x-api-key': '   ' },
    { x_api_key: GOOD },
    { authorization: GOOD },
  ]) {
    const answer = await send(setup.port, { path: '/api/x', headers: { ...headers, 'x-request-id': 'req-1' } })
    assert.equal(answer.status, 401)
    assert.deepEqual(answer.json, {
      code: '10001',
      status: 401,
      message: 'API key required',
      error: 'API_KEY_REQUIRED',
      requestId: 'req-1',
    })
    assert.equal(answer.headers['x-request-id'], 'req-1')
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    assert.match(String(answer.headers['x-kong-response-latency']), /^\d+$/)
  }
  assert.deepEqual([setup.asked, setup.reached], [[], []])
})

test('a wrong key: 401', async () => {
  await using setup = await protectedGateway()
  const { status, json } = await send(setup.port, { path: '/api/x', headers: { 'x-api-key': 'wrong' } })
  assert.equal(status, 401)
  assert.deepEqual([json.code, json.message, json.error], ['10001', 'Invalid API key', 'API_KEY_INVALID'])
  assert.match(String(json.requestId), /^[0-9a-f]{32}$/)
  assert.deepEqual([setup.asked, setup.reached], [['wrong'], []])
})

test('a malformed key: 401 without asking the verifier', async () => {
  await using setup = await protectedGateway()
  const malformed = ['k'.repeat(201), 'a b', 'a\tb', 'caf\xe9', '\x80']
  for (const key of malformed) {
    const { status, json } = await send(setup.port, { path: '/api', headers: { 'x-api-key': key } })
    assert.deepEqual([status, json.error], [401, 'API_KEY_INVALID'], key)
  }
  const twice = await send(setup.port, { path: '/api', headers: { 'x-api-key': [GOOD, GOOD] } })
  assert.deepEqual([twice.status, twice.json.error], [401, 'API_KEY_INVALID'])
  const control = await rawExchange(
    setup.port,
    `GET /api HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${GOOD}\x01\r\n\r\n`,
    text => text.endsWith('}'),
  )
  assert.match(control, /^HTTP\/1\.1 400 /)
  assert.deepEqual([setup.asked, setup.reached], [[], []])
})

test('no spelling of a path gets around the check', async () => {
  await using setup = await protectedGateway()
  const paths = [
    '/api/x',
    '/public/../api/x',
    '/public/%2e%2e/api/x',
    '/public/..//api/x',
    '//api/x',
    '/%61pi/x',
    '/./api/x',
    '/public//../api',
  ]
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE']) {
      assert.equal((await send(setup.port, { path, method })).status, 401, `${method} ${path}`)
    }
  }
  const absolute = await rawExchange(
    setup.port,
    'GET http://x/public/../api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  )
  assert.match(absolute, /^HTTP\/1\.1 401 /)
  assert.deepEqual(setup.reached, [])
  assert.equal((await send(setup.port, { path: '/public/x' })).status, 200)
})

test('forged consumer headers neither replace a key nor pass', async () => {
  await using setup = await protectedGateway()
  const forged = { 'x-consumer-id': '1', 'x-consumer-username': 'admin', 'x-credential-identifier': '1' }
  assert.equal((await send(setup.port, { path: '/api', headers: forged })).status, 401)
  const { json } = await send(setup.port, { path: '/api', headers: { ...forged, 'x-api-key': GOOD } })
  const seen = json.headers as Record<string, string>
  assert.deepEqual(
    ['x-consumer-id', 'x-consumer-permissions', 'x-consumer-username', 'x-credential-identifier'].map(
      name => seen[name],
    ),
    [CONSUMER, 'READ,WRITE', undefined, undefined],
  )
})

test('Connection: x-api-key does not get a request past the check', async () => {
  await using setup = await protectedGateway()
  const { status } = await send(setup.port, { path: '/api', headers: { connection: 'close, x-api-key' } })
  assert.equal(status, 401)
})

test('verdicts are cached: a yes and a no, each with its own time to live', async () => {
  await using setup = await protectedGateway({ config: { cache_ttl: 60, negative_cache_ttl: 60 } })
  for (let i = 0; i < 5; i++) {
    assert.equal((await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })).status, 200)
    assert.equal((await send(setup.port, { path: '/api', headers: { 'x-api-key': 'wrong' } })).status, 401)
  }
  assert.deepEqual(setup.asked, [GOOD, 'wrong'])
})

test('a revoked key stops working when its verdict expires', async () => {
  let revoked = false
  await using setup = await protectedGateway({
    config: { cache_ttl: 0.05 },
    verifier: (key, res, req) => (revoked ? res.end('{"valid":false}') : honest(key, res, req)),
  })
  const status = async () => (await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })).status
  assert.equal(await status(), 200)
  revoked = true
  await until(async () => (await status()) === 401, 'the key is refused')
})

test('with a time to live of 0, the verifier is asked every time', async () => {
  await using setup = await protectedGateway({ config: { cache_ttl: 0, negative_cache_ttl: 0 } })
  for (let i = 0; i < 3; i++) await send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } })
  assert.equal(setup.asked.length, 3)
})

test('100 concurrent requests with one key share one question, even if the first client leaves', async () => {
  const waiting: (() => void)[] = []
  await using setup = await protectedGateway({
    verifier: (key, res, req) => waiting.push(() => honest(key, res, req)),
  })
  const first = new AbortController()
  const left = fetch(`${setup.gateway.url}/api`, { headers: { 'x-api-key': GOOD }, signal: first.signal }).catch(
    () => 'left',
  )
  await until(() => waiting.length === 1, 'the verifier is asked')
  const others = Array.from({ length: 99 }, () => send(setup.port, { path: '/api', headers: { 'x-api-key': GOOD } }))
  first.abort()
  assert.equal(await left, 'left')
  for (const answer of waiting) answer()
  assert.deepEqual(new Set((await Promise.all(others)).map(({ status }) => status)), new Set([200]))
  assert.deepEqual(setup.asked, [GOOD])
  assert.ok(setup.reached.length <= 100)
})

test('a client that leaves while its key is verified does not reach the service', async () => {
  const waiting: (() => void)[] = []
  await using setup = await protectedGateway({
    verifier: (key, res, req) => waiting.push(() => honest(key, res, req)),
  })
  const gone = new AbortController()
  const left = fetch(`${setup.gateway.url}/api/gone`, { headers: { 'x-api-key': GOOD }, signal: gone.signal }).catch(
    () => 'left',
  )
  await until(() => waiting.length === 1, 'the verifier is asked')
  gone.abort()
  await left
  await until(async () => {
    // Once a later request on a new connection is served, the gateway has noticed.
    return (await send(setup.port, { path: '/public/later' })).status === 200
  }, 'the gateway goes on')
  for (const answer of waiting) answer()
  assert.equal((await send(setup.port, { path: '/api/stays', headers: { 'x-api-key': GOOD } })).status, 200)
  assert.ok(!setup.reached.includes('GET /gone'), setup.reached.join())
})

test('the most specific configuration wins: route, service, global; a disabled one is skipped', async () => {
  await using service = await upstream(echo)
  const verifier = (valid: boolean) =>
    upstream((req, res) => req.resume().on('end', () => res.end(valid ? YES : '{"valid":false}')))
  await using yes = await verifier(true)
  await using no = await verifier(false)
  const asking = ({ authority }: { authority: string }, enabled = true) => ({
    name: 'apikey-auth',
    enabled,
    config: { verify_urls: [`http://${authority}/`] },
  })
  const url = `http://${service.authority}`
  await using gateway = await gatewayFor(
    configOf(
      [
        { name: 'a', url, routes: [{ paths: ['/global'] }] },
        {
          name: 'b',
          url,
          plugins: [asking(yes)],
          routes: [{ paths: ['/service'] }, { paths: ['/route'], plugins: [asking(no)] }],
        },
        { name: 'c', url, plugins: [asking(yes, false)], routes: [{ paths: ['/off'] }] },
      ],
      [asking(no)],
    ),
  )
  const status = async (path: string) => (await send(gateway.port, { path, headers: { 'x-api-key': 'k' } })).status
  assert.deepEqual(
    [await status('/global'), await status('/service'), await status('/route'), await status('/off')],
    [401, 200, 401, 401],
  )
})

test('no key is ever logged', async () => {
  const log = recordingLog()
  const secrets = [GOOD, 'secret-wrong-key', 'k'.repeat(201)]
  await using setup = await protectedGateway({
    options: { log },
    verifier: (key, res) => (key === GOOD ? res.destroy() : res.end(`junk ${key}`)),
  })
  for (const key of secrets) await send(setup.port, { path: `/api?key=${key}`, headers: { 'x-api-key': key } })
  const text = log.lines.join('\n')
  assert.match(text, /API key not verified/)
  for (const key of secrets) assert.ok(!text.includes(key), text)
})
