/** OPTIONS and HEAD of generated routes: what browsers ask before and beside the requests of a page. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { implement, reply } from 'tsmicro'
import { contract, defineErrors, file, frameworkErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { type Answer, send } from '../../tests/support/send.ts'
import { behindGateway } from './behind.ts'

const { TOO_MANY_REQUESTS } = frameworkErrors
const { NO_SUCH_THING } = defineErrors({ NO_SUCH_THING: { status: 404, message: 'No such thing' } })
const WithId = Type.Object({ id: Type.Integer() })
const shop = contract('shop', {
  find: procedure({
    http: 'GET /thing/:id',
    access: 'key',
    input: WithId,
    output: Type.String(),
    headers: { etag: 'Its version' },
    errors: { NO_SUCH_THING },
  }),
  change: procedure({ http: 'PUT /thing/:id', access: 'key', input: WithId, idempotent: true }),
  remove: procedure({ http: 'DELETE /thing/:id', access: 'key', input: WithId, idempotent: true }),
  make: procedure({ http: 'POST /thing', access: 'key', errors: { TOO_MANY_REQUESTS } }),
  picture: procedure({ http: 'GET /thing/:id/picture', access: 'key', input: WithId, output: file('image/webp') }),
  follow: procedure({ http: 'GET /follow', access: 'key', output: stream(Type.Integer()) }),
  teaser: procedure({ http: 'GET /teaser', access: 'open', output: Type.String() }),
})

const APP = 'https://app.test'
const CORS = `
plugins:
  - name: cors
    config:
      origins: ["${APP}", "https://admin.test"]
      credentials: true
      exposed_headers: [X-Request-Id, ETag, Retry-After]
      max_age: 600`
const kongWith = (plugins: string) => `_format_version: "3.0"
_ignore:
  - &read { name: apikey-auth, config: { verify_urls: ["${verifierUrl}"], permission: READ, timeout_ms: 60000 } }
  - &write { name: apikey-auth, config: { verify_urls: ["${verifierUrl}"], permission: WRITE, timeout_ms: 60000 } }
  - &limited
    name: rate-limiting
    config: { year: 1, limit_by: ip, policy: local }
${plugins}
services:
  - name: shop-service
    url: http://shop:80
  - name: shop-service-streamed
    url: http://shop:80
`

/** Asked for each key: says what it permits, or fails. */
const asked: string[] = []
const verifier = createServer(async (req, res) => {
  const { key } = JSON.parse((await req.setEncoding('utf8').toArray()).join(''))
  asked.push(key)
  if (key === 'unknowable') return res.writeHead(500).end()
  const permissions = { reads: ['READ'], writes: ['READ', 'WRITE'] }[key as string]
  return res.end(JSON.stringify(permissions ? { valid: true, id: key, permissions } : { valid: false }))
})
let verifierUrl = ''
before(async () => {
  await new Promise<void>(resolve => verifier.listen(0, '127.0.0.1', resolve))
  verifierUrl = `http://127.0.0.1:${(verifier.address() as AddressInfo).port}/`
})
after(() => verifier.close())

function start(plugins: string) {
  return behindGateway(kongWith(plugins), shop, [
    implement(shop, {
      find: ({ input }) => {
        if (input.id === 0) throw new NO_SUCH_THING()
        return reply('a thing', { headers: { etag: '"1"' } })
      },
      ...{ change: () => undefined, remove: () => undefined, make: () => undefined },
      picture: () => ({ content: Readable.from([Buffer.from('RIFF')]), size: 4 }),
      follow: async function* () {
        yield 1
      },
      teaser: () => 'soon',
    }),
  ])
}

/** What a browser of a page on {@link APP} goes by. */
function policyOf({ headers }: Answer) {
  const field = (name: string) => headers[`access-control-${name}`]
  return [field('allow-origin'), field('allow-credentials'), String(headers.vary ?? '').includes('Origin')]
}
const READABLE = [APP, 'true', true]

test('preflights of every method are answered without a key, by cors alone', async () => {
  await using system = await start(CORS)
  asked.length = 0
  for (const [method, path, headers] of [
    ['PUT', '/thing/1', 'authorization,content-type,if-match,x-api-key'],
    ['DELETE', '/thing/1', 'authorization,x-api-key'],
    ['POST', '/thing', 'content-type,idempotency-key,x-api-key'],
    ['GET', '/thing/1', 'x-api-key,x-request-id'],
    ['GET', '/thing/1/picture', 'range,x-api-key'],
    ['GET', '/follow', 'last-event-id,x-api-key'],
    ['GET', '/teaser', 'x-request-id'],
    ['GET', '/health', 'x-request-id'],
  ] as const) {
    const asks = { 'access-control-request-method': method, 'access-control-request-headers': headers }
    const answer = await send(system.baseUrl, `OPTIONS ${path}`, { headers: { origin: APP, ...asks } })
    assert.deepEqual([answer.status, answer.text, ...policyOf(answer)], [200, '', ...READABLE], `${method} ${path}`)
    assert.ok(answer.headers['access-control-allow-methods']?.split(',').includes(method))
    assert.equal(answer.headers['access-control-allow-headers'], headers)
    assert.equal(answer.headers['access-control-max-age'], '600')
    const elsewhere = await send(system.baseUrl, `OPTIONS ${path}`, {
      headers: { ...asks, origin: 'https://evil.test' },
    })
    assert.deepEqual(policyOf(elsewhere)[0], undefined, `${method} ${path}`)
  }
  const asks = { origin: APP, 'access-control-request-method': 'GET' }
  assert.equal((await send(system.baseUrl, 'OPTIONS /nothing', { headers: asks })).status, 404)
  assert.deepEqual(asked, [])
})

test('OPTIONS otherwise needs a key to READ where the path does, and says the methods', async () => {
  for (const plugins of [CORS, '']) {
    await using system = await start(plugins)
    const options = (path: string, key?: string) =>
      send(system.baseUrl, `OPTIONS ${path}`, { headers: key ? { 'x-api-key': key } : {} })
    for (const key of ['reads', 'writes']) {
      const { status, headers } = await options('/thing/1', key)
      assert.deepEqual([status, headers.allow?.split(', ').sort()], [204, ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT']])
    }
    assert.deepEqual([(await options('/thing/1')).status, (await options('/thing/1', 'wrong')).status], [401, 401])
    assert.deepEqual([(await options('/teaser')).status, (await options('/nothing', 'reads')).status], [204, 404])
  }
  await using system = await start('')
  const asks = { origin: APP, 'access-control-request-method': 'PUT' }
  const answer = await send(system.baseUrl, 'OPTIONS /thing/1', { headers: asks })
  assert.deepEqual([answer.status, ...policyOf(answer)], [401, undefined, undefined, false])
})

test('a page can read every answer, including refusals and failures', async () => {
  await using system = await start(CORS)
  const ask = async (route: string, key?: string) => {
    const headers = { origin: APP, ...(key ? { 'x-api-key': key } : {}) }
    const answer = await send(system.baseUrl, route, { headers })
    assert.deepEqual(policyOf(answer), READABLE, `${route} with ${key}: ${answer.text}`)
    assert.equal(answer.headers['access-control-expose-headers'], 'X-Request-Id,ETag,Retry-After')
    return answer.status
  }
  assert.deepEqual([await ask('GET /thing/1', 'reads'), await ask('GET /teaser')], [200, 200])
  assert.deepEqual([await ask('GET /thing/1'), await ask('GET /thing/1', 'wrong')], [401, 401])
  assert.equal(await ask('PUT /thing/1', 'reads'), 403)
  assert.deepEqual([await ask('GET /thing/0', 'reads'), await ask('GET /nothing', 'reads')], [404, 404])
  assert.deepEqual([await ask('POST /thing', 'writes'), await ask('POST /thing', 'writes')], [200, 429])
  assert.equal(await ask('GET /thing/1', 'unknowable'), 503)
  await system.service.stop()
  assert.equal(await ask('GET /thing/1', 'reads'), 502)
})

/** They differ between any two answers, or belong to how a body is sent. */
const OWN = /^(date|x-request-id|x-kong-.*|transfer-encoding|connection|keep-alive|accept-ranges)$/

test('HEAD is answered as GET is, without a body, at the gateway as at the service', async () => {
  await using system = await start('')
  for (const [path, key, etag] of [
    ['/thing/1', 'reads'],
    ['/thing/1', 'reads', '"1"'],
    ['/thing/0', 'reads'],
    ['/thing/x', 'reads'],
    ['/thing/1/picture', 'reads'],
    ['/follow', 'reads'],
    ['/teaser', ''],
    ['/thing/1', 'wrong'],
    ['/health', ''],
    ['/nothing', 'reads'],
  ] as const)
    for (const url of [system.baseUrl, system.service.url]) {
      const headers = { 'x-api-key': key, ...(etag ? { 'if-none-match': etag } : {}) }
      const [get, head] = await Promise.all(['GET', 'HEAD'].map(method => send(url, `${method} ${path}`, { headers })))
      const shown = (answer: Answer | undefined) =>
        Object.entries(answer?.headers ?? {})
          .filter(([name]) => !OWN.test(name))
          .sort()
      assert.deepEqual([head?.status, head?.text, shown(head)], [get?.status, '', shown(get)], `${url}${path} ${key}`)
    }
})
