import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createPublisher,
  currentContext,
  implement,
  on,
  type ReceivedEvent,
  SERVICE_UNAVAILABLE,
  VALIDATION_FAILED,
} from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { eventHeaders } from './network/event-headers.ts'
import type { OpenNetwork } from './network/network.ts'

const created = event({
  subject: 'item.created',
  aggregate: 'id',
  version: 2,
  data: Type.Object({ id: Type.String(), n: Type.Integer() }),
})
const changed = event({ subject: 'item.changed', aggregate: 'id', data: z.object({ id: z.string(), n: z.number() }) })
const shop = contract('shop', {
  announce: procedure({ http: 'POST /announce', access: 'key' }),
})

export async function events(open: OpenNetwork) {
  const network = await open()
  const bare = network.client('tests')
  await bare.connect()
  after(() => bare.close())
  await network.streams('shop', [{ created, changed }])
  const publisher = createPublisher(bare, 'shop')
  interface Taken {
    readonly by: string
    readonly event: Omit<ReceivedEvent, 'data'> & { readonly data: { readonly id: string; readonly n: number } }
    readonly requestId: string | undefined
  }
  const taken: Taken[] = []
  async function take(by: string, received: Taken['event']) {
    await sleep(Math.random() * 3)
    if (received.data.n < 0) throw new Error('poison')
    const signal = currentContext()?.deadline.signal
    if (received.data.n === 0) await sleep(60_000, undefined, { ref: false, signal })
    taken.push({ by, event: received, requestId: currentContext()?.requestId })
  }
  const consumer = (name: string, by: string): Promise<TestService> =>
    serve({
      name,
      network,
      handlerTimeoutMs: 300,
      handlers: [
        on(created, { name: 'events', effect: 'idempotent', tries: 1 }, received => take(by, received)),
        on(changed, { name: 'events', effect: 'idempotent', tries: 1 }, received => take(by, received)),
      ],
    })
  const stock1 = await consumer('stock', 'stock1')
  const stock2 = await consumer('stock', 'stock2')
  const mail = await consumer('mail', 'mail')
  after(() => Promise.all([stock1, stock2, mail].map(({ service }) => service.stop())))

  const of = (...ids: string[]) => taken.filter(({ event: { data } }) => ids.includes(data.id))
  const by = (id: string, prefix: string) => of(id).filter(each => each.by.startsWith(prefix))
  const errors = () => [stock1, stock2, mail].flatMap(({ log }) => log.at('error'))

  test('attributes travel in headers, the data alone in the body, unknown fields are dropped', async () => {
    const time = new Date('2026-01-02T03:04:05.678Z')
    const data = { id: 'ä "1"\n%', n: 1, secret: 'x' }
    await publisher.publish(created, data, { id: 'e-1', sequence: 7, time })
    await until('both services have it', () => of(data.id).length === 2)
    const [first] = by(data.id, 'mail')
    assert.deepEqual(first?.event, {
      id: 'e-1',
      type: 'item.created',
      source: 'shop',
      version: 2,
      time: time.toISOString(),
      aggregateId: data.id,
      aggregateSequence: 7,
      data: { id: data.id, n: 1 },
    })
  })

  test('each event reaches every service, and one instance of each', async () => {
    const count = 60
    for (let n = 1; n <= count; n++) await publisher.publish(created, { id: 'spread', n })
    await until('all are handled', () => of('spread').length === 2 * count)
    const numbers = (prefix: string) => by('spread', prefix).map(({ event: { data } }) => data.n)
    assert.deepEqual(new Set(numbers('stock')).size, count)
    assert.deepEqual(
      numbers('mail'),
      Array.from({ length: count }, (_, index) => index + 1),
    )
  })

  test('one instance handles in the order of arrival, over different events', async () => {
    for (let n = 1; n <= 30; n++) await publisher.publish(n % 2 ? created : changed, { id: 'order', n })
    await until('all are handled', () => by('order', 'mail').length === 30)
    const numbers = by('order', 'mail').map(({ event: { data } }) => data.n)
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
  })

  test('bad events, failing and hanging handlers are logged and delay no other event', async () => {
    const before = errors().length
    const nats = bare.use()
    for (const [n, body] of ['', '{', 'null', '{"id":"bad"}', '{"id":5,"n":1}', '\0'].entries())
      nats.publish(created.subject, body, { headers: eventHeaders(created.subject, `bad${n}`) })
    await publisher.publish(created, { id: 'failing', n: -1 })
    await publisher.publish(created, { id: 'hanging', n: 0 })
    await publisher.publish(changed, { id: 'good', n: 5 })
    await until('the good one behind them is handled', () => of('good').length === 2)
    await until('every bad one is logged, by both services', () => errors().length === before + 2 * 8)
    for (const { fields } of errors()) assert.ok(fields.subject && fields.err && fields.requestId)
  })

  test('data that does not match is not published; nor is anything without a connection', async () => {
    await assert.rejects(publisher.publish(created, { id: 1 } as never), error => {
      assert.ok(error instanceof VALIDATION_FAILED)
      assert.match(error.message, /^event item.created does not match its schema: .*id must be string/)
      return true
    })
    await assert.rejects(publisher.publish(changed, { id: 1 } as never), VALIDATION_FAILED)
    const gone = createPublisher(network.client('gone'), 'gone')
    await assert.rejects(gone.publish(created, { id: 'x', n: 1 }), SERVICE_UNAVAILABLE)
  })

  test('the handler’s log has the request id of the call that published the event', async () => {
    const front = await serve({
      publishes: [{ created }],
      network,
      handlers: [
        implement(shop, {
          announce: () => createPublisher(front.nats, 'shop').publish(created, { id: 'traced', n: 1 }),
        }),
      ],
    })
    await front.service.inject({ method: 'POST', url: '/announce', headers: { 'x-request-id': 'r-77' } })
    await until('it is handled', () => of('traced').length === 2)
    assert.deepEqual(
      of('traced').map(({ requestId }) => requestId),
      ['r-77', 'r-77'],
    )
    await front.service.stop()
  })

  test('a stopping service loses none of the events that it has taken, and handles none after its stop', async () => {
    const count = 40
    for (let n = 1; n <= count; n++) await publisher.publish(created, { id: 'drain', n })
    await Promise.all([stock1, mail, stock2].map(({ service }) => service.stop()))
    const handled = of('drain').length
    const next = [await consumer('stock', 'stock3'), await consumer('mail', 'mail3')]
    await until('the next instances have handled the rest', () => of('drain').length >= 2 * count)
    assert.equal(of('drain').filter(each => !each.by.endsWith('3')).length, handled)
    for (const service of ['stock', 'mail'])
      assert.equal(new Set(by('drain', service).map(({ event: { data } }) => data.n)).size, count)
    await Promise.all(next.map(({ service }) => service.stop()))
  })

  test('a name has one handler for an event', () => {
    const twice = serve({
      network,
      handlers: [
        on(created, { name: 'events', effect: 'idempotent' }, () => {}),
        on(created, { name: 'events', effect: 'idempotent' }, () => {}),
      ],
    })
    return assert.rejects(twice, /two handlers of item.created have the name events/)
  })
}
