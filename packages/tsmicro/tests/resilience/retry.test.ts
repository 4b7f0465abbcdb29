import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINE_EXCEEDED, implement, retry, SERVICE_UNAVAILABLE } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { resilient } from './support.ts'

const { NOT_HERE } = defineErrors({ NOT_HERE: { status: 404, message: 'Not here' } })
const Plan = Type.Object({
  id: Type.String(),
  /** What each attempt meets; those after the last succeed. */
  meets: Type.Array(
    Type.Union([Type.Literal('down'), Type.Literal('later'), Type.Literal('hang'), Type.Literal('no')]),
  ),
})
const common = { access: 'internal', input: Plan, output: Type.String(), errors: { NOT_HERE } } as const
const shop = contract('shop', {
  again: procedure({ nats: 'again', ...common, idempotent: true }),
  once: procedure({ nats: 'once', ...common }),
  nobody: procedure({ nats: 'nobody', access: 'internal', idempotent: true }),
})
const front = contract('front', {
  ask: procedure({ http: 'GET /ask', access: 'key', timeoutMs: 300, output: Type.String() }),
})
const { nobody: _, ...implemented } = shop
const nats = await ownNats()
/** Budgets of the attempts, by the call's id. */
const budgets = new Map<string, number[]>()
async function meet({ id, meets }: Type.Static<typeof Plan>, budgetMs: number, signal: AbortSignal): Promise<string> {
  const known = budgets.get(id) ?? []
  budgets.set(id, [...known, budgetMs])
  const met = meets[known.length]
  if (met === 'down') throw new SERVICE_UNAVAILABLE()
  if (met === 'later') throw new SERVICE_UNAVAILABLE(undefined, { retryAfterSeconds: 1 })
  if (met === 'no') throw new NOT_HERE()
  if (met === 'hang') await sleep(60_000, undefined, { signal, ref: false })
  return id
}
const { service } = await serve({
  natsUrl: nats.url,
  handlers: [
    implement(implemented, {
      again: ({ input, context, signal }) => meet(input, context.deadline.remainingMs(), signal),
      once: ({ input, context, signal }) => meet(input, context.deadline.remainingMs(), signal),
    }),
  ],
})
after(() => service.stop())
const { client, attempts } = await resilient(nats.url, [retry({ baseMs: 5, maxMs: 2000 })])
after(() => assert.equal(client.pendingRequests, 0))
const seen = (id: string) => budgets.get(id)?.length ?? 0

test('an idempotent call is tried again, each time with the time that is left', async () => {
  assert.equal(await client.client(shop).again({ id: 'a', meets: ['down', 'down'] }), 'a')
  const [first = 0, second = 0, third = 0] = budgets.get('a') ?? []
  assert.ok(first > second && second > third && third > 0)
})

test('three attempts by default, then the caller gets the failure', async () => {
  await assert.rejects(client.client(shop).again({ id: 'b', meets: ['down', 'down', 'down'] }), SERVICE_UNAVAILABLE)
  assert.equal(seen('b'), 3)
})

test('a procedure that is not declared idempotent is called once', async () => {
  await assert.rejects(client.client(shop).once({ id: 'c', meets: ['down'] }), SERVICE_UNAVAILABLE)
  assert.equal(seen('c'), 1)
})

test('declared errors are answers, and are not tried again', async () => {
  await assert.rejects(client.client(shop).again({ id: 'd', meets: ['no'] }), NOT_HERE)
  assert.equal(seen('d'), 1)
})

test('a call that nobody listens for is tried again as well', async () => {
  attempts.length = 0
  await assert.rejects(client.client(shop).nobody(), SERVICE_UNAVAILABLE)
  assert.deepEqual(attempts, ['nobody', 'nobody', 'nobody'])
})

test('the wait that the other side asks for is kept if there is time for it, and passed on if not', async () => {
  assert.equal(await client.client(shop).again({ id: 'e', meets: ['later'] }), 'e')
  assert.equal(seen('e'), 2)
  await assert.rejects(client.client(shop).again({ id: 'f', meets: ['later'] }, { timeoutMs: 900 }), {
    code: 'SERVICE_UNAVAILABLE',
    retryAfterSeconds: 1,
  })
  assert.equal(seen('f'), 1)
})

test('all attempts together have the time of one call', async () => {
  const hangs = client.client(shop).again({ id: 'g', meets: ['down', 'hang', 'hang'] }, { timeoutMs: 200 })
  await assert.rejects(hangs, DEADLINE_EXCEEDED)
  assert.equal(seen('g'), 2)
  assert.equal(client.pendingRequests, 0)
})

test('a caller who leaves ends it, during an attempt and between two', async () => {
  for (const [id, met] of [
    ['h', 'hang'],
    ['i', 'later'],
  ] as const) {
    const controller = new AbortController()
    const call = client.client(shop).again({ id, meets: [met] }, { signal: controller.signal })
    const failed = assert.rejects(call, error => error === 'bye')
    await until('the first attempt is there', () => seen(id) === 1)
    if (met === 'later') await until('it is answered', () => client.pendingRequests === 0)
    controller.abort('bye')
    await failed
    assert.deepEqual([seen(id), client.pendingRequests], [1, 0])
  }
})

test('the time of the surrounding call bounds it', async () => {
  await using asking = await serve({
    name: 'front',
    handlers: [implement(front, { ask: () => client.client(shop).again({ id: 'j', meets: ['down', 'hang'] }) })],
  })
  const answer = await fetch(`${asking.service.url}/ask`)
  assert.equal(answer.status, 504)
  assert.equal(seen('j'), 2)
  await until('nothing waits', () => client.pendingRequests === 0)
})

test('many at once: each gets its own answer', async () => {
  const ids = Array.from({ length: 200 }, (_, n) => `many-${n}`)
  const answers = await Promise.all(
    ids.map((id, n) =>
      client.client(shop).again({ id, meets: n % 3 === 0 ? [] : n % 3 === 1 ? ['down'] : ['down', 'down'] }),
    ),
  )
  assert.deepEqual(answers, ids)
  assert.deepEqual(
    ids.map(seen),
    ids.map((_, n) => 1 + (n % 3)),
  )
  assert.equal(client.pendingRequests, 0)
})
