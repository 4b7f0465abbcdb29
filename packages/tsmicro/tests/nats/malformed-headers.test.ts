import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { client, ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const Item = Type.Object({ a: Type.Integer() })
const shop = contract('shop', {
  object: procedure({ nats: 'object', access: 'internal', input: Item, output: Item }),
})
const nats = await ownNats()
const { service } = await serve({
  natsUrl: nats.url,
  handlers: [implement(shop, { object: ({ input }) => input })],
})
after(() => service.stop())
const caller = await client(nats.url)
const unhandled: unknown[] = []
process.on('unhandledRejection', reason => unhandled.push(reason))

test('malformed header blocks, written by hand, are answered like messages without headers', async () => {
  const socket = await dial(nats.url.replace('nats:', 'http:'))
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.raw.* 1\r\n')
  const blocks = [
    '',
    'X',
    'NATS/1.0',
    'NATS/1.0\r\n',
    'NATS/1.0\r\n:\r\n\r\n',
    'NATS/1.0 abc\r\n\r\n',
    'NATS/1.0\r\nno colon\r\n\r\n',
    'NATS/1.0\r\na:\0\r\n\r\n',
    'NATS/1.0\r\nTsmicro-Budget-Ms: 5000',
    'NATS/1.0\r\nTsmicro-Budget-Ms: soon\r\n\r\n',
    '\xff\xfe',
  ]
  blocks.forEach((block, index) => {
    const bytes = Buffer.from(block, 'latin1')
    const body = Buffer.from('{"data":{"a":1}}')
    socket.write(`HPUB shop.object _INBOX.raw.${index} ${bytes.length} ${bytes.length + body.length}\r\n`)
    socket.write(Buffer.concat([bytes, body, Buffer.from('\r\n')]))
  })
  const ended = () => text.includes('-ERR') || blocks.every((_, index) => text.includes(`_INBOX.raw.${index} `))
  await until('all are answered or the server refuses', ended)
  socket.destroy()
  assert.deepEqual(unhandled, [])
  assert.deepEqual(await caller.client(shop).object({ a: 2 }), { a: 2 })
})
