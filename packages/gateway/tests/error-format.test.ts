import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { configOf, deadPort, gatewayFor, send, tcpUpstream } from './support.ts'

let gateway: Gateway
const resources = new AsyncDisposableStack()
before(async () => {
  const silent = resources.use(await tcpUpstream(() => {}))
  const config = configOf([
    { name: 'dead', url: `http://127.0.0.1:${await deadPort()}`, retries: 0, routes: [{ paths: ['/dead'] }] },
    {
      name: 'silent',
      url: `http://${silent.authority}`,
      read_timeout: 50,
      retries: 0,
      routes: [{ paths: ['/silent'] }],
    },
    { name: 'none', url: 'http://pool', routes: [{ paths: ['/none'] }] },
    {
      name: 'limited',
      url: 'http://pool',
      routes: [{ paths: ['/limited'] }],
      plugins: [{ name: 'request-size-limiting', config: { allowed_payload_size: 1, size_unit: 'bytes' } }],
    },
  ])
  gateway = resources.use(await gatewayFor({ ...config, upstreams: [{ name: 'pool' }] }))
})
after(() => resources.disposeAsync())

const PLAIN = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const HTML = 'text/html; charset=utf-8'
const XML = 'application/xml; charset=utf-8'
/** Errors of nginx: what a client accepts, and the type that Kong answers in. */
const ofNginx: [Record<string, string>, string][] = [
  [{}, PLAIN],
  [{ accept: '*/*' }, JSON_TYPE],
  [{ accept: 'text/plain' }, PLAIN],
  [{ accept: 'text/*' }, PLAIN],
  [{ accept: 'application/json;q=0.9' }, JSON_TYPE],
  [{ accept: 'application/xml' }, XML],
  [{ accept: 'text/html' }, HTML],
  [{ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, JSON_TYPE],
  [{ accept: 'image/png' }, JSON_TYPE],
  [{ 'content-type': 'application/json' }, JSON_TYPE],
  [{ 'content-type': 'text/html' }, HTML],
]
/** Errors of Kong's own code. */
const ofKong: [Record<string, string>, string][] = [
  [{}, JSON_TYPE],
  [{ accept: '*/*' }, JSON_TYPE],
  [{ accept: 'text/plain' }, PLAIN],
  [{ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, HTML],
  [{ accept: 'application/json;q=0.5, application/xml' }, XML],
  [{ accept: 'image/png' }, JSON_TYPE],
  [{ 'content-type': 'text/html' }, JSON_TYPE],
]
const bodies: Record<string, RegExp> = {
  [PLAIN]: /^[^\n]+\nrequest_id: ID\n$/,
  [JSON_TYPE]: /^\{"message":"[^"]+","request_id":"ID"\}$/,
  [HTML]: /^<!doctype html>[\s\S]*<p>request_id: ID<\/p>/,
  [XML]: /^<\?xml [\s\S]*<requestid>ID<\/requestid>/,
}

for (const [paths, table] of [
  [['/dead', '/silent', '/dead/../..'], ofNginx],
  [['/nothing', '/none'], ofKong],
] as const) {
  for (const [headers, type] of table) {
    test(`${paths.join(', ')} with ${JSON.stringify(headers)}: the error is ${type}, as from Kong`, async () => {
      for (const path of paths) {
        const answer = await send(gateway.port, { path, headers })
        const id = String(answer.headers['x-kong-request-id'])
        assert.ok(answer.status >= 400)
        assert.equal(answer.headers['content-type'], type, path)
        assert.match(answer.text.replace(id, 'ID'), bodies[type] ?? /^$/, path)
      }
    })
  }
}

test('a 502 and a 504 tell how long the upstream and the gateway took; what was not sent has one latency', async () => {
  for (const path of ['/dead', '/silent']) {
    const { headers } = await send(gateway.port, { path })
    assert.match(String(headers['x-kong-upstream-latency']), /^\d+$/, path)
    assert.match(String(headers['x-kong-proxy-latency']), /^\d+$/, path)
    assert.equal(headers['x-kong-response-latency'], undefined, path)
  }
  for (const path of ['/none', '/nothing', '/../..']) {
    const { headers } = await send(gateway.port, { path })
    assert.match(String(headers['x-kong-response-latency']), /^\d+$/, path)
    assert.equal(headers['x-kong-proxy-latency'], undefined, path)
  }
})

test("a plugin's refusal has the type that the client accepts", async () => {
  const options = { path: '/limited', method: 'POST', body: 'ab' }
  assert.equal((await send(gateway.port, options)).headers['content-type'], JSON_TYPE)
  const plain = await send(gateway.port, { ...options, headers: { accept: 'text/plain' } })
  assert.deepEqual([plain.status, plain.headers['content-type']], [413, PLAIN])
})
