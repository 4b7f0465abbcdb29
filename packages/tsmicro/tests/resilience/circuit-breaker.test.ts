import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitBreaker, implement, type NatsClient, OVERLOADED, retry, SERVICE_UNAVAILABLE } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { RecordedLog } from '../support/log.ts'
import { ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { resilient } from './support.ts'

const { NOT_HERE } = defineErrors({ NOT_HERE: { status: 404, message: 'Not here' } })
const shop = contract('shop', {
  item: procedure({
    nats: 'item',
    access: 'internal',
    output: Type.String(),
    errors: { NOT_HERE },
    idempotent: true,
  }),
  other: procedure({ nats: 'other', access: 'internal', output: Type.String() }),
})
const front = contract('front', {
  hurry: procedure({ http: 'GET /hurry', access: 'key', timeoutMs: 20, output: Type.String() }),
})
const nats = await ownNats()
let mode: 'well' | 'down' | 'hang' | 'busy' | 'no' = 'well'
let reached = 0
beforeEach(() => {
  mode = 'well'
  reached = 0
})
const serveShop = () =>
  serve({
    natsUrl: nats.url,
    handlers: [
      implement(shop, {
        item: async ({ signal }) => {
          reached += 1
          if (mode === 'down') throw new SERVICE_UNAVAILABLE()
          if (mode === 'busy') throw new OVERLOADED()
          if (mode === 'no') throw new NOT_HERE()
          if (mode === 'hang') await sleep(60_000, undefined, { signal, ref: false })
          return 'item'
        },
        other: () => 'other',
      }),
    ],
  })
let running = await serveShop()
after(() => running.service.stop())

async function broken(options: Parameters<typeof circuitBreaker>[0] = {}) {
  const log = new RecordedLog()
  const breaker = circuitBreaker({ failures: 5, silentMs: 0, openMs: 100, log, ...options })
  return { ...(await resilient(nats.url, [breaker])), log }
}
const outcome = (client: NatsClient, timeoutMs = 2000) =>
  client
    .client(shop)
    .item({}, { timeoutMs })
    .catch(error => error.code as string)
const times = <T>(count: number, run: () => Promise<T>) => Promise.all(Array.from({ length: count }, run))

test('it opens, and fails calls at once', async () => {
  const { client, attempts } = await broken({ openMs: 60_000 })
  mode = 'down'
  for (let call = 0; call < 5; call++) assert.equal(await outcome(client), 'SERVICE_UNAVAILABLE')
  assert.equal(reached, 5)
  assert.deepEqual(new Set(await times(50, () => outcome(client))), new Set(['SERVICE_UNAVAILABLE']))
  const isLater = ({ retryAfterSeconds: later = 0 }: { readonly retryAfterSeconds?: number }) =>
    later > 0 && later <= 60
  await assert.rejects(client.client(shop).item(), isLater)
  assert.deepEqual([reached, attempts.length], [5, 5])
})

test('it lets one call try, and closes; each change is logged once', async () => {
  const { client, log } = await broken({ openMs: 1000 })
  mode = 'down'
  for (let call = 0; call < 5; call++) assert.equal(await outcome(client), 'SERVICE_UNAVAILABLE')

  mode = 'hang'
  // Of several concurrent calls, one is let through.
  await until('a trial', async () => {
    await times(20, () => outcome(client, 200))
    return reached > 5
  })
  assert.equal(reached, 6)

  mode = 'well'
  await until('it answers', async () => (await outcome(client)) === 'item')
  assert.deepEqual(new Set(await times(50, () => outcome(client))), new Set(['item']))
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields.procedure]),
    [
      ['warn', 'shop.item'],
      ['info', 'shop.item'],
    ],
  )
  assert.equal(client.pendingRequests, 0)
})

test('each procedure has its own circuit', async () => {
  const { client } = await broken({ openMs: 60_000 })
  mode = 'down'
  await times(10, () => outcome(client))
  const before = reached
  assert.equal(await outcome(client), 'SERVICE_UNAVAILABLE')
  assert.equal(reached, before)
  assert.equal(await client.client(shop).other(), 'other')
})

test('time-outs open it', async () => {
  const { client } = await broken({ openMs: 60_000 })
  mode = 'hang'
  assert.deepEqual(new Set(await times(5, () => outcome(client, 50))), new Set(['DEADLINE_EXCEEDED']))
  assert.equal(await outcome(client), 'SERVICE_UNAVAILABLE')
  assert.equal(client.pendingRequests, 0)
})

test('answers do not open it: declared errors and OVERLOADED', async () => {
  const { client } = await broken({ failures: 1 })
  for (mode of ['no', 'busy'] as const) {
    await times(20, () => outcome(client))
    assert.ok((await outcome(client)) === (mode === 'no' ? 'NOT_HERE' : 'OVERLOADED'))
  }
  assert.equal(reached, 42)
})

test('callers who leave or have too little time do not open it', async () => {
  const { client } = await broken({ failures: 1, patienceMs: 60_000 })
  mode = 'hang'
  const signal = AbortSignal.timeout(20)
  await times(5, () => assert.rejects(client.client(shop).item({}, { signal })))
  await using asking = await serve({
    name: 'front',
    handlers: [implement(front, { hurry: () => client.client(shop).item() })],
  })
  const answers = await times(5, () => fetch(`${asking.service.url}/hurry`))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([504]))
  await until('nothing waits', () => client.pendingRequests === 0)
  mode = 'well'
  assert.equal(await outcome(client), 'item')
})

test('a service goes away and comes back under load, with retry behind the circuit', async () => {
  const breaker = circuitBreaker({ openMs: 50 })
  const { client } = await resilient(nats.url, [breaker, retry({ baseMs: 5, maxMs: 20 })])
  const outcomes = new Set<string>()
  let going = true
  const load = times(16, async () => {
    while (going) {
      const got = await outcome(client)
      outcomes.add(got)
      if (got !== 'item') await sleep(2)
    }
  })
  await until('answers', () => outcomes.has('item'))
  await running.service.stop()
  let refused = 0
  await until('an open circuit', async () => {
    const error = await client
      .client(shop)
      .item()
      .catch(caught => caught)
    if (error instanceof SERVICE_UNAVAILABLE && error.retryAfterSeconds === 1) refused += 1
    return refused > 0
  })
  running = await serveShop()
  await until('all is well', async () => (await times(20, () => outcome(client))).every(got => got === 'item'))
  going = false
  await load
  outcomes.delete('DEADLINE_EXCEEDED')
  assert.deepEqual(outcomes, new Set(['item', 'SERVICE_UNAVAILABLE']))
  assert.equal(client.pendingRequests, 0)
})
