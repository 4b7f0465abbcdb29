import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPublisher, DEADLINE_EXCEEDED, implement, on } from 'tsmicro'
import { contract, defineErrors, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const Sku = Type.Object({ sku: Type.String() })
const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Sku },
})
const stock = contract('stock', {
  take: procedure({
    nats: 'take',
    access: 'internal',
    input: Sku,
    output: Type.Object({ left: Type.Integer() }),
    errors: { SOLD_OUT },
  }),
  count: procedure({ nats: 'count', access: 'internal', timeoutMs: 60_000 }),
  taken: event({ subject: 'goods.taken', aggregate: 'sku', data: Sku }),
})
const orders = contract('orders', {
  order: procedure({
    http: 'POST /orders/:sku',
    access: 'key',
    input: Sku,
    output: Type.Object({ left: Type.Integer() }),
    errors: { SOLD_OUT },
  }),
  audit: procedure({ http: 'GET /audit', access: 'key', timeoutMs: 60_000 }),
  hurry: procedure({ http: 'GET /hurry', access: 'key', timeoutMs: 200 }),
  known: procedure({ nats: 'known', access: 'internal', input: Sku, output: Type.Boolean() }),
})

/** Two whole services that call each other both ways, with events between them. */
export async function platform(open: OpenNetwork) {
  const network = await open()
  const ended: unknown[] = []
  const ordered: string[] = []
  let counting = 0
  let left = 2
  const s = await serve({
    name: 'stock',
    calls: [orders],
    network,
    handlers: [
      implement(stock, {
        take: async ({ input, errors }) => {
          if (!(await s.nats.client(orders).known(input))) throw new Error('an order of nothing')
          if (left === 0) throw new errors.SOLD_OUT(input)
          left -= 1
          await createPublisher(s.nats, 'stock').publish(stock.taken, input)
          return { left }
        },
        count: async ({ signal }) => {
          counting += 1
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          ended.push(signal.reason)
        },
      }),
    ],
  })
  const o = await serve({
    name: 'orders',
    calls: [stock],
    network,
    handlers: [
      implement(orders, {
        order: ({ input, errors }) =>
          o.nats
            .client(stock)
            .take(input)
            .catch(error => {
              throw error instanceof SOLD_OUT ? new errors.SOLD_OUT(input) : error
            }),
        audit: ({ signal }) => o.nats.client(stock).count({}, { signal }),
        hurry: () => o.nats.client(stock).count(),
        known: ({ input }) => input.sku !== 'nothing',
      }),
      on(stock.taken, { name: 'events', effect: 'idempotent' }, ({ data }) => void ordered.push(data.sku)),
    ],
  })
  after(() => Promise.all([o.service.stop(), s.service.stop()]))
  const order = async (sku: string) => {
    const answer = await o.service.inject({ method: 'POST', url: `/orders/${sku}` })
    const { data, error } = answer.json<{ data?: unknown; error?: string }>()
    return [answer.statusCode, error ?? data]
  }

  test('a request at one door goes through both services and comes back as an answer, an error or an event', async () => {
    assert.deepEqual(await order('a'), [200, { left: 1 }])
    assert.deepEqual(await order('nothing'), [500, 'INTERNAL'])
    assert.deepEqual(await order('b'), [200, { left: 0 }])
    assert.deepEqual(await order('c'), [409, 'SOLD_OUT'])
    await until('both events are taken', () => ordered.length === 2)
    assert.deepEqual(ordered, ['a', 'b'])
  })

  test('the budget set at the first door ends the work at the last', async () => {
    const answer = await o.service.inject({ method: 'GET', url: '/hurry' })
    assert.deepEqual([answer.statusCode, answer.json<{ error: string }>().error], [504, 'DEADLINE_EXCEEDED'])
    await until('the handler was told', () => ended.length === 1)
    assert.ok(ended[0] instanceof DEADLINE_EXCEEDED)
  })

  test('a call that is given up is cancelled at the service', async () => {
    const begun = counting
    const controller = new AbortController()
    const call = o.nats.client(stock).count({}, { signal: controller.signal })
    await until('it is worked on', () => counting === begun + 1)
    const heard = ended.length
    controller.abort(new Error('changed my mind'))
    await assert.rejects(call, /changed my mind/)
    await until('the handler was told', () => ended.length === heard + 1)
    assert.equal((ended.at(-1) as Error).name, 'CallerGoneError')
  })

  test('a client that disconnects ends the work behind both doors', async () => {
    const [begun, heard] = [counting, ended.length]
    const controller = new AbortController()
    const answer = fetch(`${o.service.url}/audit`, { signal: controller.signal })
    await until('it is worked on', () => counting === begun + 1)
    controller.abort()
    await assert.rejects(answer)
    await until('the handler was told', () => ended.length === heard + 1)
  })
}
