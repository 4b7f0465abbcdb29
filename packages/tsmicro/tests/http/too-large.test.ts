import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'

const shop = contract('shop', { any: procedure({ http: 'POST /any', access: 'key', input: Type.Any() }) })
const { service } = await serve({ handlers: [implement(shop, { any: () => {} })] })
after(() => service.stop())

const MEGABYTE = 1024 * 1024
const SENT = 20
const plain = Buffer.alloc(MEGABYTE, 'x')
const chunk = Buffer.concat([Buffer.from('100000\r\n'), plain, Buffer.from('\r\n')])
const fields = Buffer.from('X-A: b\r\n'.repeat(MEGABYTE / 8))
const HEAD = 'POST /any HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
const LENGTH = `content-length: ${SENT * MEGABYTE}\r\n`

// Otherwise bytes still on their way would reach a closed socket, whose reset discards the answer: a gateway makes a 502 of that.
for (const [what, status, head, piece] of [
  ['a length', 413, `${HEAD}${LENGTH}\r\n`, plain],
  ['chunks', 413, `${HEAD}transfer-encoding: chunked\r\n\r\n`, chunk],
  ['a length, for the last time', 413, `${HEAD}connection: close\r\n${LENGTH}\r\n`, plain],
  ['chunks, for the last time', 413, `${HEAD}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`, chunk],
  ['HTTP/1.0', 413, `${HEAD.replace('1.1', '1.0')}${LENGTH}\r\n`, plain],
  ['a body for nobody', 404, `${HEAD.replace('/any', '/none')}connection: close\r\n${LENGTH}\r\n`, plain],
  ['header fields', 431, HEAD, fields],
  ['no HTTP', 400, 'hello\r\n\r\n', plain],
] as const) {
  test(`${what}: a client that reads only after it has sent everything still gets its ${status}`, async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    const failure = once(socket, 'error').then(([error]) => assert.fail(error as Error))
    failure.catch(() => {})
    socket.pause()
    socket.write(head)
    for (let i = 0; i < SENT; i++) if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), failure])
    const received = once(socket, 'data')
    socket.resume()
    const [answer] = await Promise.race([received, failure])
    assert.match(String(answer), new RegExp(`^HTTP/1\\.1 ${status} `))
    socket.destroy()
  })
}
