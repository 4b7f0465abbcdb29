import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'

const shop = contract('shop', { any: procedure({ http: 'POST /any', access: 'key', body: Type.Any() }) })
const { service } = await serve({ contracts: [shop], routes: routes => routes.implement(shop, { any: () => {} }) })
after(() => service.stop())

// Otherwise what is still on its way meets a closed socket, whose reset throws the answer away: a gateway makes that 502.
test('a client that reads only after it has sent a body that is too large still gets its 413', async () => {
  const size = 20 * 1024 * 1024
  for (const framing of [`content-length: ${size}`, 'transfer-encoding: chunked']) {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    const failure = once(socket, 'error').then(([error]) => assert.fail(error as Error))
    failure.catch(() => {})
    socket.pause()
    socket.write(`POST /any HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`)
    const body = Buffer.alloc(1024 * 1024, 'x')
    const chunk = framing.startsWith('t') ? Buffer.concat([Buffer.from('100000\r\n'), body, Buffer.from('\r\n')]) : body
    for (let sent = 0; sent < size; sent += body.length) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), failure])
    }
    const received = once(socket, 'data')
    socket.resume()
    const [answer] = await Promise.race([received, failure])
    assert.match(String(answer), /^HTTP\/1.1 413 /, framing)
    socket.destroy()
  }
})
