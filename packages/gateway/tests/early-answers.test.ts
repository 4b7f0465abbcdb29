import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { configOf, gatewayFor, type TestServer, upstream } from './support.ts'

let service: TestServer
let gateway: Gateway
before(async () => {
  service = await upstream((req, res) => {
    res.writeHead(413, { 'content-length': 8 }).end('too long')
    req.resume()
  })
  const url = `http://${service.authority}`
  gateway = await gatewayFor(configOf([{ name: 'api', url, routes: [{ paths: ['/api'] }] }]))
})
after(async () => {
  await gateway?.close()
  await service?.[Symbol.asyncDispose]()
})

const MEGABYTE = 1024 * 1024
const SENT = 20

/** A client that reads the answer only after it has sent everything. Rejects if the connection breaks off. */
async function sendAllThenRead(head: string, piece: Buffer): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1')
  const closed = once(socket, 'close')
  const failure = once(socket, 'error').then(([error]) => Promise.reject(error as Error))
  failure.catch(() => {})
  socket.pause()
  socket.write(head)
  for (let i = 0; i < SENT; i++) if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), failure])
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  socket.resume()
  await Promise.race([closed, failure])
  return text
}

const plain = Buffer.alloc(MEGABYTE, 'x')
const chunk = Buffer.concat([Buffer.from('100000\r\n'), plain, Buffer.from('\r\n')])
const LENGTH = `Content-Length: ${SENT * MEGABYTE}\r\n`
const cases: [string, number, string, Buffer][] = [
  ['the service, of a length', 413, `POST /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${LENGTH}\r\n`, plain],
  [
    'the service, of chunks',
    413,
    'POST /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
    chunk,
  ],
  ['the service, to HTTP/1.0', 413, `POST /api HTTP/1.0\r\nHost: a\r\n${LENGTH}\r\n`, plain],
  ['the gateway, without a route', 404, `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${LENGTH}\r\n`, plain],
  ['the gateway, to a bad request', 400, `POST /../.. HTTP/1.1\r\nHost: a\r\n${LENGTH}\r\n`, plain],
  [
    'the parser, to too long a header',
    400,
    'GET /api HTTP/1.1\r\nHost: a\r\n',
    Buffer.from('X-A: b\r\n'.repeat(MEGABYTE / 8)),
  ],
  ['the parser, to bytes that are not HTTP', 400, 'hello\r\n\r\n', plain],
]
for (const [who, status, head, piece] of cases) {
  test(`an early ${status} of ${who}: a client that is still sending gets it, then the connection ends`, async () => {
    assert.match(await sendAllThenRead(head, piece), new RegExp(`^HTTP/1\\.1 ${status} [^]*\\S\\n?$`))
  })
}
