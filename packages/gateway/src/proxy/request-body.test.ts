import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, test } from 'node:test'
import { RequestBody } from './request-body.ts'

const OPTIONS = { keep: false, maxBytes: 100_000, onFirstRead: () => {}, isAnswered: () => false }
const handlers: ((req: IncomingMessage, res: ServerResponse) => void)[] = []
const server = createServer((req, res) => handlers.shift()?.(req, res))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
after(() => {
  server.closeAllConnections()
  server.close()
})

/** What is known of a body when the packet that the request began with has been read. */
async function wholeOf(head: string, body: Buffer, late = ''): Promise<Buffer | undefined> {
  const known = Promise.withResolvers<Buffer | undefined>()
  handlers.push((req, res) => {
    const taken = new RequestBody(req, OPTIONS)
    queueMicrotask(() => {
      taken.takeWhole()
      known.resolve(taken.whole)
      res.end()
    })
  })
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`), body]))
  const whole = await known.promise
  socket.end(late)
  await once(socket.resume(), 'close')
  return whole
}

test('a body that came in one packet with its header fields is taken whole', async () => {
  const body = Buffer.alloc(10_000, 'x')
  assert.deepEqual(await wholeOf('Content-Length: 10000', body), body)
})

test('any other is read as it comes', async () => {
  const body = Buffer.alloc(1000, 'x')
  assert.equal(await wholeOf('Content-Length: 1001', body, 'x'), undefined)
  assert.equal(await wholeOf('Transfer-Encoding: chunked', Buffer.from('3\r\nabc\r\n0\r\n\r\n')), undefined)
  assert.equal(await wholeOf('Content-Length: 0', Buffer.alloc(0)), undefined)
  const tooLong = Buffer.alloc(OPTIONS.maxBytes + 1, 'x')
  assert.equal(await wholeOf(`Content-Length: ${tooLong.length}`, tooLong), undefined)
})
