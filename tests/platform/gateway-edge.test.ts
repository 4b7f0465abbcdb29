import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { bearer } from '../support/contents.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, sharedPlatform } from '../support/platform.ts'
import { type Answer, send } from '../support/send.ts'
import { until } from '../support/until.ts'

let platform: Platform
let author: Person
let withKey: { readonly 'x-api-key': string }
before(async () => {
  platform = await sharedPlatform()
  withKey = { 'x-api-key': platform.apiKey }
  author = await person(platform, 'Ada', 'AUTHOR')
})
after(() => platform?.[Symbol.asyncDispose]())

const KNOWN = [
  'GET /auth/profile/mine',
  'PUT /auth/profile/mine',
  'POST /auth/signup/basic',
  'DELETE /auth/signout',
  'GET /auth/health/ready',
  'GET /auth/openapi.json',
  'GET /blog/list/latest',
  'POST /blog/author',
  'PUT /blog/author',
  'GET /blog/id/000000000000000000000000',
]

/** The gateway's own answer: neither a service nor the API key was checked. */
function assertNoRoute({ status, body }: Answer, route: string): void {
  assert.deepEqual([status, body?.message], [404, 'no Route matched with those values'], route)
}

function assertFailure({ status, body, headers }: Answer, expected: number, error: string): void {
  const { requestId, ...failure } = body ?? {}
  assert.deepEqual([status, failure.code, failure.status, failure.error], [expected, '10001', expected, error])
  assert.equal(typeof failure.message, 'string')
  assert.ok(requestId)
  assert.equal(headers['x-request-id'], requestId)
}

test('without a valid API key nothing can be reached, with any method', async () => {
  for (const route of KNOWN) {
    assertFailure(await send(platform.url, route), 401, 'API_KEY_REQUIRED')
    const wrongKey = { 'x-api-key': 'wrong' }
    assertFailure(await send(platform.url, route, { headers: wrongKey }), 401, 'API_KEY_INVALID')
  }
  const twice = { 'x-api-key': `${platform.apiKey}, ${platform.apiKey}` }
  assertFailure(await send(platform.url, 'GET /blog/list/latest', { headers: twice }), 401, 'API_KEY_INVALID')
})

test('health and the public keys are open, and nothing else', async () => {
  const keys = await send(platform.url, 'GET /auth/.well-known/jwks.json')
  assert.deepEqual([keys.status, Object.keys(keys.body ?? {})], [200, ['keys']])
  for (const service of ['auth', 'blog']) {
    const { status, body, data } = await send(platform.url, `GET /${service}/health`)
    assert.deepEqual([status, body?.code, data.status, data.ready], [200, '10000', 'ok', true])
    for (const path of ['health/ready', 'health/../openapi.json', 'openapi.json']) {
      assertFailure(await send(platform.url, `GET /${service}/${path}`), 401, 'API_KEY_REQUIRED')
    }
    for (const path of ['health/', 'healthx', 'health/x', 'health%2Fready', 'Health']) {
      assertNoRoute(await send(platform.url, `GET /${service}/${path}`, { headers: withKey }), path)
    }
    assertNoRoute(await send(platform.url, `POST /${service}/health`), `POST ${service}`)
  }
})

test('HEAD is answered as GET is, without the body', async () => {
  for (const path of [
    '/blog/health',
    '/blog/list/latest',
    '/auth/openapi.json',
    '/auth/profile/mine',
    '/blog/nothing',
  ]) {
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map(method => fetch(platform.url + path, { method, headers: withKey })),
    )
    await get?.arrayBuffer()
    assert.deepEqual([head?.status, await head?.text()], [get?.status, ''], path)
  }
})

test('a standard client verifies tokens by the public keys, without an API key; caches may keep them for half the activation time', async () => {
  const url = new URL(`${platform.url}/auth/.well-known/jwks.json`)
  const options = { issuer: 'https://auth.tsmicro.dev', audience: 'tsmicro' }
  const { payload } = await jwtVerify(author.accessToken, createRemoteJWKSet(url), options)
  assert.equal(payload.sub, author.id)
  const { headers } = await send(platform.url, `GET ${url.pathname}`)
  assert.equal(headers['cache-control'], 'public, max-age=300')
  const again = await send(platform.url, `GET ${url.pathname}`, { headers: { 'if-none-match': `${headers.etag}` } })
  assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', headers.etag])
})

test('API key verification cannot be reached from outside, however the path is written', async () => {
  const paths = [
    '/auth/verify/apikey',
    '/auth/verify/apikey/',
    '/auth/verify/apikey?x=1',
    '/auth//verify/apikey',
    '/auth/verify//apikey',
    '/auth/./verify/apikey',
    '/auth/verify/./apikey',
    '/auth/verify/x/../apikey',
    '/auth/%76erify/apikey',
    '/auth/verify%2Fapikey',
    '/auth%2Fverify/apikey',
    '/auth/%2e/verify/apikey',
    '/auth/verify;/apikey',
    '/auth/Verify/ApiKey',
    '/AUTH/verify/apikey',
    '/AUTH/../auth/verify/apikey',
    '/blog/../auth/verify/apikey',
    '/blog/%2e%2e/auth/verify/apikey',
    '/auth/health/../verify/apikey',
    '/auth../verify/apikey',
    '//auth/verify/apikey',
    '/verify/apikey',
    '/auth\\verify\\apikey',
    '/auth/verify/apikey%00',
    '/../auth/verify/apikey',
  ]
  for (const path of paths) {
    for (const method of ['GET', 'POST']) {
      const json = method === 'POST' ? { json: { key: platform.apiKey } } : {}
      const { status, text } = await send(platform.url, `${method} ${path}`, { headers: withKey, ...json })
      assert.ok(status === 404 || status === 400, `${method} ${path} was answered ${status} ${text}`)
      assert.doesNotMatch(text, /valid/i)
    }
  }
  for (const method of ['GET', 'POST']) {
    const route = `${method} /auth/verify/apikey`
    const json = method === 'POST' ? { json: { key: platform.apiKey } } : {}
    assertNoRoute(await send(platform.url, route, { headers: withKey, ...json }), route)
    // A caller's own forwarding headers, or none of them, change nothing.
    const headers = { ...withKey, connection: 'x-forwarded-for, via, x-real-ip, x-forwarded-host, x-forwarded-proto' }
    assertNoRoute(await send(platform.url, route, { headers, ...json }), route)
  }
})

test('the gateway itself is let in by the service', async () => {
  const { status, body } = await send(platform.authUrl, 'POST /verify/apikey', { json: { key: platform.apiKey } })
  assert.deepEqual([status, (body as { valid?: unknown }).valid], [200, true])
})

test('requests that no contract names are answered at the edge, and never reach a service', async () => {
  for (const route of [
    'GET /',
    'GET /unknown',
    'GET /BLOG/list/latest',
    'PATCH /blog/author',
    'OPTIONS /auth/nothing',
    'GET /blog/nothing',
    'POST /auth/nothing',
    'GET /auth',
    'GET /blog/',
    'DELETE /blog/list/latest',
    'GET /blog/list/latest/',
    'GET /blog/list/latest/more',
    'GET /blog/list/latestmore',
    'GET /blog/slug/',
    'GET /blog/slug/a/b',
    'GET /more/blog/list/latest',
  ]) {
    const requestId = `edge.${route.replaceAll(/\W/g, '-')}`
    assertNoRoute(await send(platform.url, route, { headers: { ...withKey, 'x-request-id': requestId } }), route)
    assertNoRoute(await send(platform.url, route, { headers: { 'x-request-id': requestId } }), route)
  }
  for (const { output } of [platform.auth, platform.blog]) assert.doesNotMatch(output, /"edge\./)
})

test('a page that a developer visits cannot use the known key, neither under a rebound name nor from its own origin', async () => {
  const requestId = 'edge.page'
  for (const [status, headers] of [
    [421, { host: 'rebound.evil.test' }],
    [421, { host: `rebound.evil.test:${new URL(platform.url).port}` }],
    [403, { origin: 'https://evil.test' }],
    [403, { origin: 'null' }],
    [403, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ] as const) {
    for (const route of ['GET /blog/list/latest', 'POST /blog/author', 'DELETE /auth/signout']) {
      const sent = { headers: { ...withKey, 'x-request-id': requestId, ...headers } }
      assert.equal((await send(platform.url, route, sent)).status, status, `${route} ${JSON.stringify(headers)}`)
    }
  }
  for (const { output } of [platform.auth, platform.blog]) assert.doesNotMatch(output, /edge\.page/)
  const own = { headers: { ...withKey, origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' } }
  assert.equal((await send(platform.url, 'GET /blog/list/latest', own)).status, 200)
})

test('a new blog is where the answer says, at the gateway as at its service', async () => {
  for (const [url, path, own] of [
    [platform.url, '/blog/author', withKey],
    [platform.blogUrl, '/author', {}],
  ] as const) {
    const headers = { ...own, ...bearer(author) }
    const made = await send(url, `POST ${path}`, { headers, json: draft(`there-${new URL(url).port}`) })
    assert.deepEqual([made.status, made.body?.status], [201, 201])
    const { pathname } = new URL(made.headers.location ?? '', url + path)
    const found = await send(url, `GET ${pathname}`, { headers })
    assert.deepEqual([found.status, found.data], [200, made.data])
  }
})

test('a request id passes through gateway and service and comes back', async () => {
  const id = 'client-chosen.1'
  const headers = { ...withKey, 'x-request-id': id }
  const fine = await send(platform.url, 'GET /blog/list/latest', { headers })
  assert.deepEqual([fine.status, fine.headers['x-request-id']], [200, id])
  const failed = await send(platform.url, 'GET /blog/id/0', { headers })
  assertFailure(failed, 400, 'VALIDATION_FAILED')
  assert.equal(failed.body?.requestId, id)
  const refused = await send(platform.url, 'GET /blog/list/latest', { headers: { 'x-request-id': id } })
  assertFailure(refused, 401, 'API_KEY_REQUIRED')
  assert.equal(refused.body?.requestId, id)
  const made = await send(platform.url, 'GET /blog/list/latest', { headers: { ...withKey, 'x-request-id': 'bad id!' } })
  assert.match(String(made.headers['x-request-id']), /^[\w.-]{16,}$/)
})

test('a request id is passed on over NATS', async () => {
  const nats = await connect({ servers: new URL(platform.nats.url).host })
  const seen: unknown[] = []
  nats.subscribe('auth.access.verify', { callback: (_, msg) => void seen.push(msg.headers?.get('x-request-id')) })
  await nats.flush()
  // Somebody whom the blog service does not know yet.
  const { accessToken } = await person(platform, 'Nat', 'AUTHOR')
  const headers = { ...withKey, 'x-request-id': 'across-nats.1', authorization: `Bearer ${accessToken}` }
  assert.equal((await send(platform.url, 'PUT /blog/author', { headers, json: {} })).status, 400)
  await until('the question about the user', () => seen.length > 0)
  assert.deepEqual(seen, ['across-nats.1'])
  await nats.close()
})

test('a body of 10 MB is refused with 413, however it is sent', async () => {
  const headers = { ...withKey, authorization: `Bearer ${author.accessToken}` }
  const json = { title: 'x'.repeat(10_000_000) }
  for (const framing of [
    { 'content-length': String(JSON.stringify(json).length) },
    { 'transfer-encoding': 'chunked' },
  ]) {
    for (const route of ['POST /blog/author', 'POST /auth/signup/basic']) {
      assertFailure(
        await send(platform.url, route, { headers: { ...headers, ...framing }, json }),
        413,
        'PAYLOAD_TOO_LARGE',
      )
    }
  }
})

test('the services’ answers pass through unchanged', async () => {
  const authorization = `Bearer ${author.accessToken}`
  const cases = [
    { service: 'auth', route: 'GET /profile/mine', status: 200 },
    { service: 'auth', route: 'GET /profile/mine', anonymous: true, status: 401 },
    { service: 'auth', route: 'GET /profile/id/00000000-0000-4000-8000-000000000000', status: 404 },
    { service: 'auth', route: 'GET /.well-known/jwks.json', status: 200 },
    { service: 'auth', route: 'GET /profile/id/%20', status: 400 },
    { service: 'blog', route: 'GET /list/latest?page=1&limit=5', status: 200 },
    { service: 'blog', route: 'GET /list/latest?limit=0&page=x', status: 400 },
    { service: 'blog', route: 'PUT /editor/publish/id/000000000000000000000000', status: 403 },
    { service: 'blog', route: 'PUT /author/submit/id/000000000000000000000000', status: 404 },
    { service: 'blog', route: 'GET /slug/a%2Fb%3Fc%23d', status: 404 },
    { service: 'blog', route: 'GET /slug/%E4%B8%AD%E6%96%87%E4%B8%AD', status: 404 },
  ]
  for (const { service, route, anonymous, status } of cases) {
    const user = anonymous ? {} : { authorization }
    const headers = { ...withKey, ...user, 'x-request-id': 'the-same' }
    const through = await send(platform.url, route.replace(' ', ` /${service}`), { headers })
    const direct = await send(service === 'auth' ? platform.authUrl : platform.blogUrl, route, { headers })
    assert.deepEqual([through.status, through.text], [status, direct.text], route)
    assert.equal(direct.status, status)
    assert.equal(through.headers['content-type'], direct.headers['content-type'])
  }
})
