import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Gateway, KongRoute } from '../src/index.ts'
import {
  configOf,
  echo,
  gatewayFor,
  oneService,
  rawExchange,
  send,
  type TestServer,
  tcpUpstream,
  upstream,
} from './support.ts'

let service: TestServer
let gateway: Gateway
before(async () => {
  service = await upstream(echo)
  const routes: KongRoute[] = [
    { name: 'any', paths: ['/'] },
    { name: 'named', paths: ['/'], hosts: ['named.test'] },
  ]
  gateway = await gatewayFor(
    configOf(
      routes.map(route => ({
        name: `${route.name}`,
        url: `http://${service.authority}/${route.name}`,
        routes: [route],
      })),
    ),
  )
})
after(async () => {
  await gateway.close()
  await service[Symbol.asyncDispose]()
})

const ask = (head: string) => rawExchange(gateway.port, `${head}\r\nConnection: close\r\n\r\n`)
/** 200 for what reaches the service, which has limits of its own. */
const statusOf = async (head: string) => {
  const text = await ask(head)
  return /\r\nx-kong-upstream-latency/i.test(text) ? 200 : Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1])
}
const GET = 'GET /x HTTP/1.1\r\nHost: a.test\r\n'
/** A header line with so many bytes, its end included. */
const line = (bytes: number, name = 'X-A') => `${name}: ${'b'.repeat(bytes - name.length - 4)}`

const cases: [string, number, string][] = [
  ['a header line of 8 KiB', 200, GET + line(8192)],
  ['a header line of one byte more', 400, GET + line(8193)],
  ['a name of 8 KiB', 400, `${GET}${'x'.repeat(8192)}: a`],
  ['a cookie of 9,000 bytes', 400, GET + line(9000, 'Cookie')],
  ['header lines of 28 KiB', 200, GET + Array.from({ length: 4 }, () => line(7000)).join('\r\n')],
  ['header lines of 35 KiB', 400, GET + Array.from({ length: 5 }, () => line(7000)).join('\r\n')],
  ['short header lines of 35 KiB', 400, GET + Array.from({ length: 900 }, () => line(40)).join('\r\n')],
  ['short header lines of 30 KiB', 200, GET + Array.from({ length: 900 }, () => line(34)).join('\r\n')],
  ['a header line of 40 KiB', 400, GET + line(40_000)],
  ['1,001 fields', 431, GET + Array.from({ length: 999 }, () => 'a:b').join('\r\n')],
  ['1,000 fields', 200, GET + Array.from({ length: 998 }, () => 'a:b').join('\r\n')],
  ['an empty Host', 400, 'GET /x HTTP/1.1\r\nHost:'],
  ['a Host that is only a port', 400, 'GET /x HTTP/1.1\r\nHost: :80'],
  ['an empty Host on HTTP/1.0', 400, 'GET /x HTTP/1.0\r\nHost:'],
  ['no Host on HTTP/1.0', 200, 'GET /x HTTP/1.0'],
  ['a path that climbs behind doubled slashes', 400, 'GET //../a HTTP/1.1\r\nHost: a'],
  ['a path with an escape that is not UTF-8', 404, 'GET /a%ff HTTP/1.1\r\nHost: a'],
  ['half of a character in a path', 404, 'GET /a%C3 HTTP/1.1\r\nHost: a'],
  ['a character in UTF-8', 200, 'GET /a%C3%A4 HTTP/1.1\r\nHost: a'],
  ['two X-Request-Id', 200, `${GET}X-Request-Id: a\r\nX-Request-Id: b`],
  ['two Accept', 200, `${GET}Accept: a/b\r\nAccept: a/b`],
  ...[
    'Authorization',
    'If-Match',
    'If-None-Match',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'If-Range',
    'Content-Range',
    'Host',
  ].map((name): [string, number, string] => [`two ${name}`, 400, `${GET}${name}: a\r\n${name.toLowerCase()}: a`]),
]
for (const [what, status, head] of cases) {
  test(`${what}: ${status}, as from a real Kong`, async () => {
    assert.equal(await statusOf(head), status)
  })
}

test('an absolute target is routed by Host, and named to the service', async () => {
  const text = await ask('GET http://named.test/x HTTP/1.1\r\nHost: other.test')
  assert.match(text, /"path":"\/any\/x"/)
  assert.match(text, /"x-forwarded-host":"named.test"/)
  assert.match(await ask('GET http://other.test/x HTTP/1.1\r\nHost: named.test'), /"path":"\/named\/x"/)
})

test('of two X-Forwarded-For, the first line counts', async () => {
  const text = await ask(`${GET}X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3`)
  assert.match(text, /"x-forwarded-for":"1\.1\.1\.1, 2\.2\.2\.2, 127\.0\.0\.1"/)
})

test('a path that is not UTF-8 matches if no route has paths', async () => {
  await using hosts = await gatewayFor(oneService(`http://${service.authority}`, {}, { hosts: ['a.test'] }))
  const { status, json } = await send(hosts.port, { path: '/%ff', headers: { host: 'a.test' } })
  assert.deepEqual([status, json.path], [200, '/%FF'])
})

test("an answer's header fields fit into 4 KiB, or it is a 502", async () => {
  await using large = await upstream((req, res) =>
    res.setHeader('x-a', 'b'.repeat(Number(req.url?.slice(1)))).end('ok'),
  )
  await using own = await gatewayFor(oneService(`http://${large.authority}`))
  assert.equal((await send(own.port, { path: '/3800' })).status, 200)
  assert.equal((await send(own.port, { path: '/4200' })).status, 502)
})

const broken: [string, string][] = [
  ['bytes that are not HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['a malformed field', 'HTTP/1.1 200 OK\r\nx(: a\r\n\r\n'],
  ['header fields of 5 KB', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(5000)}\r\n\r\n`],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
]
for (const [what, bytes] of broken) {
  test(`an upstream that answers ${what} is asked once`, async () => {
    let asked = 0
    await using bad = await tcpUpstream(socket => {
      socket.once('data', () => {
        asked += 1
        socket.end(bytes)
      })
    })
    await using own = await gatewayFor(oneService(`http://${bad.authority}`))
    assert.equal((await send(own.port)).status, 502)
    assert.equal(asked, 1)
  })
}

test('an upstream that breaks off is asked again', async () => {
  let asked = 0
  await using bad = await tcpUpstream(socket => {
    socket.once('data', () => {
      asked += 1
      socket.end('HTTP/1.1 200 OK\r\nx: ')
    })
  })
  await using own = await gatewayFor(oneService(`http://${bad.authority}`, { retries: 2 }))
  assert.equal((await send(own.port)).status, 502)
  assert.equal(asked, 3)
})
