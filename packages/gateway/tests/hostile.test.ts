import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { gatewayFor, oneService, rawExchange, send, type TestServer, upstream } from './support.ts'

let service: TestServer
let gateway: Gateway
const reached: string[] = []
before(async () => {
  service = await upstream((req, res) => {
    reached.push(`${req.method} ${req.url}`)
    req.resume().on('end', () => res.end('ok'))
  })
  gateway = await gatewayFor(oneService(`http://${service.authority}`))
})
after(async () => {
  await gateway.close()
  await service[Symbol.asyncDispose]()
})

const ERROR = /\r\n\r\n[^"\n]+\nrequest_id: [0-9a-f]{32}\n$/
const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n'
const refused: [string, number, string][] = [
  ['length and chunks', 400, `${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks and length', 400, `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`],
  ['two lengths', 400, `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
  ['a list of lengths', 400, `${HEAD}Content-Length: 1, 1\r\n\r\na`],
  ['a signed length', 400, `${HEAD}Content-Length: +1\r\n\r\na`],
  ['an unknown coding', 400, `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ['a disguised coding', 400, `${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ['two codings', 501, `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunks on HTTP/1.0', 400, 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a bad chunk size', 400, `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
  ['a folded header', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n'],
  ['a bare LF', 400, 'GET / HTTP/1.1\nHost: a\n\n'],
  ['a bare CR in a value', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-Api-Key: c\r\n\r\n'],
  ['a NUL in a value', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n'],
  ['a header without a name', 400, 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n'],
  ['a space in a header name', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n'],
  ['no host', 400, 'GET / HTTP/1.1\r\n\r\n'],
  ['two hosts', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a malformed host', 400, 'GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n'],
  ['a fragment', 400, 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a malformed path', 400, 'GET a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an asterisk', 400, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a foreign scheme', 400, 'GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a path above the root', 400, 'GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a NUL in the path', 400, 'GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a broken escape', 400, 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no HTTP', 400, '\x16\x03\x01\x02\x00\x01\x00'],
  ['HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a tunnel', 405, 'CONNECT evil.test:25 HTTP/1.1\r\nHost: evil.test:25\r\n\r\n'],
  ['TRACE', 405, 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an unknown expectation', 417, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n'],
  ['a long URL', 414, `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a URL longer than any header may be', 414, `GET /${'a'.repeat(60_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['headers without end', 400, `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(8_000)}\r\n`],
]
for (const [what, status, bytes] of refused) {
  test(`${what}: ${status} in Kong's form, and nothing reaches the upstream`, async () => {
    reached.length = 0
    const text = await rawExchange(gateway.port, bytes, sofar => ERROR.test(sofar))
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(text, /\r\nx-kong-request-id: [0-9a-f]{32}\r\n/)
    assert.match(text, ERROR)
    assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, text)
    assert.deepEqual(reached, [])
  })
}

test('a second request hidden in a body stays a body', async () => {
  reached.length = 0
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
  const text = await rawExchange(
    gateway.port,
    `POST /outer HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  )
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.deepEqual(reached, ['POST /outer'])
})

test('pipelined requests are answered in their order', async () => {
  reached.length = 0
  const one = (path: string, last = false) =>
    `GET ${path} HTTP/1.1\r\nHost: a\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
  const text = await rawExchange(gateway.port, one('/1') + one('/nope/../2') + one('/3', true))
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 3)
  assert.deepEqual(reached.toSorted(), ['GET /1', 'GET /2', 'GET /3'])
})

test('garbage after a request is not mixed into its response', async () => {
  const text = await rawExchange(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\ngarbage\r\n\r\n')
  assert.ok((text.match(/HTTP\/1\.1 /g)?.length ?? 0) <= 2, text)
})

test('the gateway survives many refused connections', async () => {
  await Promise.all(
    Array.from({ length: 50 }, () => rawExchange(gateway.port, 'junk\r\n\r\n', text => ERROR.test(text))),
  )
  assert.equal((await send(gateway.port)).status, 200)
})
