// CI alone: packages/tsmicro/tests/http/fail-closed.test.ts and consumer.test.ts refuse by hand what the gateway has not signed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { startGateway } from '@tsmicro/gateway'
import type { BoundProcedure } from 'tsmicro/contract'
import { gatewaySignature } from 'tsmicro/internal'
import { bearer } from '../support/contents.ts'
import { proceduresIn } from '../support/contracts.ts'
import { difference, dump, UNCHANGED } from '../support/databases.ts'
import { callerOf, inputOf } from '../support/inputs.ts'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Scene, setScene } from '../support/scene.ts'
import { type Answer, send } from '../support/send.ts'
import { wireOf } from '../support/wire.ts'

const GATEWAY_SECRET = 'what-the-gateway-signs-requests-with'
const VERIFY_SECRET = 'what-the-gateway-shows-for-questions'
const secrets = { GATEWAY_SECRET, VERIFY_SECRET }

const procedures = proceduresIn(authContracts, blogContracts).filter(({ http }) => http !== undefined)

let platform: Platform
let scene: Scene
before(async () => {
  platform = await startPlatform({ patient: true, env: { ...secrets, REQUIRE_GATEWAY: 'true' }, gatewayEnv: secrets })
  scene = await setScene(platform)
})
after(() => platform?.[Symbol.asyncDispose]())

const urlOf = (service: string) => (service === 'auth' ? platform.authUrl : platform.blogUrl)

function assertRefused({ status, body, headers }: Answer, what: string): void {
  assert.deepEqual([status, body?.code, body?.error], [403, '10001', 'GATEWAY_REQUIRED'], what)
  assert.deepEqual(Object.keys(body ?? {}).sort(), ['code', 'error', 'message', 'requestId', 'status'])
  assert.equal(headers['x-request-id'], body?.requestId)
}

/** A request directly to the service that would take effect. */
function directly(procedure: BoundProcedure, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { route, sent } = wireOf(procedure, inputOf(procedure, scene), '')
  const token = procedure.access === 'internal' ? {} : bearer(callerOf(procedure, scene))
  const headers = { 'x-api-key': platform.apiKey, ...token, ...sent.headers, ...more }
  return send(urlOf(procedure.service), route, { ...sent, headers })
}

test('no endpoint answers direct requests, whatever they claim, and nothing changes', async () => {
  const before = await dump(platform)
  const said = {
    'x-consumer-id': 'admin',
    'x-consumer-permissions': 'READ,WRITE',
    'x-kong-request-id': '1',
    'x-forwarded-prefix': '/blog',
    'x-gateway-signature': `v1.${Math.floor(Date.now() / 1000)}.${'0'.repeat(64)}`,
    'x-verify-secret': GATEWAY_SECRET,
  }
  for (const procedure of procedures) {
    assertRefused(await directly(procedure), procedure.name)
    assertRefused(await directly(procedure, said), `${procedure.name}, forged`)
  }
  for (const service of ['auth', 'blog'])
    for (const route of [
      'GET /',
      'GET /openapi.json',
      'GET /nothing',
      'POST /health',
      'GET /health/x',
      'OPTIONS /health',
    ])
      assertRefused(await send(urlOf(service), route, { headers: said }), route)
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED)
})

test('a body is only read once the request is known to come from the gateway', async () => {
  const headers = { 'content-type': 'application/json' }
  assertRefused(await send(platform.blogUrl, 'POST /author', { headers, bytes: '{"title":' }), 'a broken body')
})

test('probes need no credentials', async () => {
  for (const service of ['auth', 'blog'])
    for (const path of ['/health', '/health/ready'])
      assert.equal((await send(urlOf(service), `GET ${path}`)).status, 200)
})

test('API key verification has a separate secret', async () => {
  const json = { key: platform.apiKey }
  const ask = (headers: Record<string, string>) => send(platform.authUrl, 'POST /verify/apikey', { json, headers })
  const { body } = await ask({ 'x-verify-secret': VERIFY_SECRET })
  assert.equal((body as { valid?: unknown }).valid, true)
  const byHeader = { 'x-verify-secret': VERIFY_SECRET, 'x-api-key': platform.apiKey }
  assert.equal((await send(platform.authUrl, 'GET /verify/apikey', { headers: byHeader })).status, 200)
  const signed = gatewaySignature(GATEWAY_SECRET, { method: 'POST', url: '/verify/apikey', headers: {} })
  for (const value of [
    '',
    VERIFY_SECRET.slice(1),
    `${VERIFY_SECRET}x`,
    GATEWAY_SECRET,
    `${VERIFY_SECRET}, ${VERIFY_SECRET}`,
  ])
    assertRefused(await ask({ 'x-verify-secret': value, 'x-gateway-signature': signed }), value)
})

test('through the gateway every procedure works as usual', async () => {
  const headers = { 'x-api-key': platform.apiKey }
  for (const route of [
    'GET /blog/list/latest?page=1&limit=5',
    'GET /blog/search?q=a%20b',
    'GET /blog/openapi.json',
    'GET /auth/.well-known/jwks.json',
    `GET /auth/profile/id/${scene.author.id}`,
    'GET /auth/health/ready',
  ])
    assert.equal((await send(platform.url, route, { headers })).status, 200, route)
  const own = { ...headers, ...bearer(scene.author) }
  const changed = await send(platform.url, 'PUT /auth/profile/mine', { headers: own, json: { name: 'Zoë' } })
  assert.equal(changed.status, 200, changed.text)
  // Refused by the service itself, not by the door.
  assert.equal((await send(platform.url, 'GET /blog/slug/%C3%A9%2F%20?x=1', { headers })).status, 400)
  // What a client claims is not forwarded as if it came from the gateway.
  const forged = {
    ...own,
    'x-consumer-id': 'somebody',
    'x-gateway-signature': 'v1.1.x',
    'x-verify-secret': VERIFY_SECRET,
  }
  assert.equal((await send(platform.url, 'GET /auth/profile/mine', { headers: forged })).status, 200)
  const own2 = { ...own, 'x-request-id': 'my-own', 'x-forwarded-for': '10.0.0.1' }
  assert.equal((await send(platform.url, 'GET /auth/profile/mine', { headers: own2 })).status, 200)
})

/** A request as the gateway forwards it, as somebody in the network might see it. */
async function captured(route: string, headers: Record<string, string>) {
  const requests: { method: string; url: string; headers: IncomingHttpHeaders }[] = []
  const server = createServer((req, res) => {
    requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers })
    res.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const listener = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const resolve = { 'auth:8001': new URL(platform.authUrl).host, 'blog:8002': listener }
  const gateway = await startGateway({ config: 'kong/kong.yml', port: 0, resolve, env: secrets })
  await send(gateway.url, route, { headers })
  await gateway.close()
  server.close().closeAllConnections()
  const [request] = requests
  assert.ok(request)
  const { host: _, connection: __, ...rest } = request.headers
  return { ...request, headers: rest as Record<string, string> }
}

test('a captured signature is only valid for the same request', async () => {
  const sent = { 'x-api-key': platform.apiKey, ...bearer(scene.author), 'x-request-id': 'seen' }
  const { method, url, headers } = await captured('GET /blog/author/drafts?page=1', sent)
  const replay = (route: string, changes: Record<string, string> = {}) =>
    send(platform.blogUrl, route, { headers: { ...headers, ...changes } })
  assert.equal(url, '/author/drafts?page=1')
  assert.equal((await replay(`${method} ${url}`)).status, 200)
  for (const route of [
    'GET /author/drafts?page=2',
    'GET /author/drafts',
    'GET /author/submitted?page=1',
    'PUT /author?page=1',
  ])
    assertRefused(await replay(route), route)
  for (const changes of [
    bearer(scene.editor),
    { 'x-consumer-id': 'another' },
    { 'x-consumer-permissions': 'WRITE' },
    { 'x-real-ip': '10.0.0.1' },
    { 'x-request-id': 'another' },
  ])
    assertRefused(await replay(`${method} ${url}`, changes), JSON.stringify(changes))
})

test('a late, early, truncated or malformed signature, or one made with another secret, is refused', async () => {
  const request = { method: 'GET', url: '/list/latest', headers: { 'x-consumer-id': 'c' } }
  const now = Math.floor(Date.now() / 1000)
  const ask = (signature: string) =>
    send(platform.blogUrl, 'GET /list/latest', { headers: { ...request.headers, 'x-gateway-signature': signature } })
  const good = gatewaySignature(GATEWAY_SECRET, request)
  assert.equal((await ask(good)).status, 200)
  const bad = {
    late: gatewaySignature(GATEWAY_SECRET, request, now - 40),
    early: gatewaySignature(GATEWAY_SECRET, request, now + 60),
    'time changed': good.replace(/\.\d+\./, `.${now - 7}.`),
    'another secret': gatewaySignature(VERIFY_SECRET, request),
    'no secret': gatewaySignature('', request),
    cut: good.slice(0, -1),
    longer: `${good}0`,
    'upper case': good.toUpperCase(),
    'another version': good.replace('v1', 'v2'),
    twice: `${good}, ${good}`,
    'no time': good.replace(/\.\d+\./, '..'),
    'a huge time': good.replace(/\.\d+\./, `.${'9'.repeat(300)}.`),
    empty: '',
  }
  for (const [what, signature] of Object.entries(bad)) assertRefused(await ask(signature), what)
})

test('a gateway without the verify secret lets nothing through, and does not reject keys as invalid', async () => {
  const resolve = { 'auth:8001': new URL(platform.authUrl).host, 'blog:8002': new URL(platform.blogUrl).host }
  const headers = { 'x-api-key': platform.apiKey }
  await using deaf = await startGateway({ config: 'kong/kong.yml', port: 0, resolve, env: { GATEWAY_SECRET } })
  assert.equal((await send(deaf.url, 'GET /blog/list/latest', { headers })).status, 503)
  await using unsigned = await startGateway({ config: 'kong/kong.yml', port: 0, resolve, env: { VERIFY_SECRET } })
  assertRefused(await send(unsigned.url, 'GET /blog/list/latest', { headers }), 'unsigned')
})

test('no secret is in any log', () => {
  assertNoSecretsLogged(platform, [GATEWAY_SECRET, VERIFY_SECRET])
})
