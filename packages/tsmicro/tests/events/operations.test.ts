import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { createPublisher, createService, NatsClient, on } from 'tsmicro'
import { contract, event, natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'
import Type from 'typebox'
import { eventsDoor } from '../../src/contract/index.ts'
import { RecordedLog } from '../support/log.ts'
import { client, ownNats } from '../support/nats.ts'
import { until } from '../support/until.ts'
import { MemoryInbox } from './memory-inbox.ts'

const data = Type.Object({ id: Type.String(), n: Type.Integer() })
const shop = contract('shop', { made: event({ subject: 'item.made', aggregate: 'id', data }) })
const server = await ownNats()
const inbox = new MemoryInbox()
const poison = { on: true }
const announced: unknown[] = []
const log = new RecordedLog()
const nats = new NatsClient({ url: server.url, name: 'shop', log, reconnectWaitMs: 20 })
const events = createPublisher(nats, 'shop')
const service = createService({
  name: 'shop',
  version: '1.0.0',
  log,
  module: {
    nats,
    publishes: [shop],
    inboxes: [inbox],
    handlers: [
      on(shop.made, { name: 'stock', effect: 'postgres', tries: 1 }, async received => {
        if (poison.on && received.data.n === 2) throw new Error('does not fit')
        await inbox.record(received, received.data.n)
      }),
    ],
    announces: {
      async item(request) {
        announced.push(request)
        return { announced: 1, next: request.after === undefined ? 'a' : undefined }
      },
    },
  },
})
await service.start()
after(() => service.stop())
const operator = await client(server.url, 'operator')

interface Answer {
  readonly data?: {
    readonly error?: string
    readonly more?: boolean
    readonly letters?: readonly { readonly id: string }[]
  }
  readonly error?: string
}

async function send(text: string | Uint8Array): Promise<Answer> {
  return JSON.parse((await operator.exchange(eventsDoor('shop'), text, { timeoutMs: 30_000 })).string())
}

const ask = (command: unknown, input: object = {}) => send(JSON.stringify({ data: { command, ...input } }))

async function dead(count: number) {
  await until(`${count} letters`, async () => (await ask('dead')).data?.letters?.length === count)
  return (await ask('dead')).data?.letters ?? []
}

const which = { name: 'stock', type: 'item', aggregateId: 'a.b *>' }

test('whatever is sent to the door, the answer says what is wrong, and the service goes on', async () => {
  const deep = `{"data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  const commands = 'status, dead, retry, skip, replay, rebuild, announce'
  const one = `must be one of ${commands}`
  const said = async (text: string | Uint8Array) => (await send(text)).error ?? 'no error'
  for (const text of ['', '{}', '{"data":null}', '{"data":7}'])
    assert.match(await said(text), /^400:.*command is missing/, text)
  for (const text of ['{', '[]', 'null', '"x"', '\u0000'])
    assert.match(await said(text), /^400:The request cannot be read/, text)
  assert.match(await said(Uint8Array.of(0xff, 0xfe)), /^400:/)
  assert.match(await said('x'.repeat(900_000)), /^413:/)
  assert.match(await said(deep), /^400:/)
  for (const command of ['__proto__', 'constructor', 'toString', '', 'STATUS', 'purge', 7, null, {}, ['status']])
    assert.ok((await ask(command)).error?.includes(one), String(command))
  const wrong: readonly [command: string, input: object, problem: RegExp][] = [
    ['status', { more: 1 }, /unknown field "more"/],
    ['status', JSON.parse('{"__proto__":{"name":"x"}}'), /unknown field|__proto__/],
    ['dead', { after: -1 }, /after must be >= 0/],
    ['dead', { after: '1' }, /after must be integer/],
    ['retry', {}, /name, type, aggregateId/],
    ['retry', { ...which, name: 'no' }, /name is unknown: shop has stock/],
    ['retry', { ...which, name: 'constructor' }, /name is unknown/],
    ['retry', { ...which, aggregateId: ['a'] }, /aggregateId must be string/],
    ['skip', which, /id/],
    ['replay', { name: 'stock', since: 'yesterday' }, /since/],
    ['replay', { name: 'stock', since: '2031-13-41T00:00:00Z' }, /since/],
    ['rebuild', { name: '*' }, /name is unknown: shop has stock/],
    ['announce', { type: 'toString' }, /type cannot be announced again: shop does so for item/],
    ['announce', { type: 'item', aggregateId: {} }, /aggregateId must be string/],
  ]
  for (const [command, input, problem] of wrong)
    assert.match((await ask(command, input)).error ?? 'none', problem, command)
  const own = `{"data":{"command":"status","__proto__":{"name":"x"}}}`
  assert.ok((await send(own)).error ?? (await send(own)).data)
  assert.deepEqual(announced, [])
  assert.equal((await service.health()).ready, true)
})

test('an answer goes to an inbox alone, and who sends none is ignored', async () => {
  const heard: string[] = []
  const repairs = () => log.at('info').filter(({ message }) => /repairs events/.test(message)).length
  const before = repairs()
  operator.use().subscribe('user.created', { callback: (_, msg) => void heard.push(msg.string()) })
  const request = JSON.stringify({ data: { command: 'rebuild', name: 'stock' } })
  operator.use().publish(eventsDoor('shop'), request, { reply: 'user.created', headers: headers() })
  operator.use().publish(eventsDoor('shop'), request)
  await until('it is logged', () => log.at('warn').some(({ message }) => /reply subject is not an inbox/.test(message)))
  assert.ok((await ask('status')).data)
  assert.deepEqual(heard, [])
  assert.equal(repairs(), before)
})

test('dead letters are listed without their data; each command does what it says', async () => {
  const { aggregateId: id } = which
  for (const n of [1, 2, 3]) await events.publish(shop.made, { id, n }, { sequence: n })
  const letters = await dead(2)
  assert.ok(!JSON.stringify(letters).includes('"data"'))
  assert.match((await ask('retry', which)).data?.error ?? '', /does not fit/)
  assert.match((await ask('skip', { ...which, id: letters[1]?.id })).data?.error ?? '', /waits before it/)
  const skipped = await ask('skip', { ...which, id: letters[0]?.id })
  assert.deepEqual([skipped.data?.error, skipped.data?.more], [undefined, false])
  assert.deepEqual(inbox.of(id), [1, 3])
  poison.on = false
  assert.match((await ask('retry', which)).data?.error ?? '', /newer state wins/)
  assert.deepEqual((await ask('rebuild', { name: 'stock' })).data, {})
  await until('all are handled again', () => inbox.of(id).length === 5)
  assert.deepEqual(inbox.of(id), [1, 3, 1, 2, 3])
  assert.deepEqual((await ask('replay', { name: 'stock', since: new Date(0).toISOString() })).data, {})
  assert.deepEqual((await ask('announce', { type: 'item' })).data, { announced: 1, next: 'a' })
  assert.deepEqual((await ask('announce', { type: 'item', after: 'a' })).data, { announced: 1 })
  assert.deepEqual(announced, [{}, { after: 'a' }])
})

test('on a server with permissions, only an operator reaches the door', () => {
  const other = natsPermissionsOf({ service: 'blog', serves: [], consumes: [shop], handles: { authors: [shop] } })
  const mine = natsPermissionsOf(service.natsAccess)
  assert.ok(![...other.publish, ...mine.publish].some(subject => subject.startsWith('_TSMICRO.events')))
  assert.ok(mine.subscribe.includes(eventsDoor('shop')))
  assert.ok(!other.subscribe.includes(eventsDoor('shop')))
  assert.match(
    natsAuthorization([mine], () => 'x'),
    /_TSMICRO\.events\.shop/,
  )
})
