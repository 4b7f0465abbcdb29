import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Msg } from '@nats-io/transport-node'
import { ApiError, DEADLINE_EXCEEDED, NatsClient, PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { client, ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const { NOT_HERE } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here', data: Type.Object({ id: Type.String() }) },
})
const shop = contract('shop', {
  item: procedure({
    nats: 'item',
    access: 'internal',
    request: Type.Object({ id: Type.String() }),
    response: Type.Object({ id: Type.String() }),
    errors: { NOT_HERE },
  }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  who: procedure({ nats: 'who', access: 'user', response: Type.Array(Type.String()) }),
})
const front = contract('front', {
  who: procedure({ http: 'GET /who', access: 'user', response: Type.Array(Type.String()) }),
})

const server = await ownNats()
let release = Promise.withResolvers<void>()
const aborted: string[] = []
const { service } = await serve({
  contracts: [shop],
  natsUrl: server.url,
  endpoints: group =>
    group.implement(shop, {
      item: async ({ data: { id }, errors, signal }) => {
        if (id === 'none') throw new errors.NOT_HERE({ id })
        if (id === 'bug') throw new Error('secret')
        if (id === 'large') return { id: 'x'.repeat(2_000_000) }
        if (id.startsWith('slow')) {
          signal.addEventListener('abort', () => aborted.push(id))
          await release.promise
        }
        return { id }
      },
      nothing: () => {},
      who: ({ user, context }) => [user.id, context.requestId],
    }),
})
const caller = await client(server.url)
const raw = await connect({ servers: server.url.replace('nats://', '') })
after(async () => {
  await raw.close()
  await service.stop()
})
/** Messages that went out to a subject since it was asked for. */
async function heardOn(subject: string): Promise<Msg[]> {
  const heard: Msg[] = []
  const subscription = raw.subscribe(subject, { callback: (_error, msg) => void heard.push(msg) })
  after(() => subscription.unsubscribe())
  await raw.flush()
  return heard
}
const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : String(error))
const outcome = (call: Promise<{ readonly id: string }>) => call.then(({ id }) => id, codeOf)

test('calls of one turn share messages evenly; a lone one travels alone, at once', async () => {
  const together = await heardOn('shop.item.batch')
  const alone = await heardOn('shop.item')
  assert.deepEqual(await caller.call(shop.item, { id: 'a' }), { id: 'a' })
  await raw.flush()
  assert.deepEqual([together.length, alone.length], [0, 1])

  const ids = Array.from({ length: 41 }, (_, index) => `i${index}`)
  assert.deepEqual(await Promise.all(ids.map(id => outcome(caller.call(shop.item, { id })))), ids)
  await raw.flush()
  assert.deepEqual(
    together.map(msg => (JSON.parse(msg.string()) as unknown[]).length),
    [14, 14, 12],
  )
  assert.equal(alone.length, 2, 'the first could not know that others would follow')
})

test('batching off: every call in a message of its own', async () => {
  const single = new NatsClient({ url: server.url, name: 'single', batching: false })
  await single.connect()
  const together = await heardOn('shop.item.batch')
  await Promise.all(Array.from({ length: 20 }, () => single.call(shop.item, { id: 'a' })))
  await raw.flush()
  assert.equal(together.length, 0)
  await single.close()
})

test('each has its own outcome: what fails, hangs, is given up, expires or is too large affects only itself', async () => {
  release = Promise.withResolvers()
  const controller = new AbortController()
  const ids = ['a', 'none', 'bug', 'large', 'b', 'slow-1', 'c']
  const calls = ids.map(id => outcome(caller.call(shop.item, { id })))
  const expired = outcome(caller.call(shop.item, { id: 'slow-expired' }, { timeoutMs: 30 }))
  const given = outcome(caller.call(shop.item, { id: 'slow-given-up' }, { signal: controller.signal }))
  const tooLarge = outcome(caller.call(shop.item, { id: 'x'.repeat(2_000_000) }))
  const last = outcome(caller.call(shop.item, { id: 'd' }))
  const quick = calls.filter((_, index) => ids[index] !== 'slow-1')
  assert.deepEqual(await Promise.all(quick), ['a', 'NOT_HERE', 'INTERNAL', 'INTERNAL', 'b', 'c'])
  assert.deepEqual(await Promise.all([tooLarge, last]), ['PAYLOAD_TOO_LARGE', 'd'])
  controller.abort(new Error('changed my mind'))
  assert.deepEqual(await Promise.all([expired, given]), ['DEADLINE_EXCEEDED', 'Error: changed my mind'])
  await until('both hear of it', () => aborted.length === 2)
  assert.deepEqual(aborted.sort(), ['slow-expired', 'slow-given-up'])
  release.resolve()
  assert.equal(await calls[5], 'slow-1')
  assert.equal(caller.pendingRequests, 0)
})

test('a declared error arrives with its data, a reply without data as none', async () => {
  const calls = await Promise.allSettled([
    caller.call(shop.item, { id: 'none' }),
    caller.call(shop.item, { id: 'none' }),
    caller.call(shop.item, { id: 'none' }),
  ])
  for (const call of calls) {
    assert.ok(call.status === 'rejected' && call.reason instanceof NOT_HERE)
    assert.deepEqual(call.reason.data, { id: 'none' })
  }
  const nothing = Array.from({ length: 5 }, () => caller.call(shop.nothing, undefined))
  assert.deepEqual(await Promise.all(nothing), Array(5).fill(undefined))
})

test('every call keeps its own user and request id', async () => {
  const { service: entry, nats } = await serve({
    name: 'front',
    contracts: [front],
    natsUrl: server.url,
    routes: routes => routes.implement(front, { who: () => nats.call(shop.who, undefined) }),
  })
  const together = await heardOn('shop.who.batch')
  const ask = async (index: number) => {
    const headers = { authorization: `Bearer u${index}.READER`, 'x-request-id': `request-${index}` }
    const { body } = await entry.inject({ url: '/who', headers })
    return JSON.parse(body).data
  }
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(index)))
  answers.forEach((answer, index) => {
    assert.deepEqual(answer, [`u${index}`, `request-${index}`])
  })
  assert.ok(together.length > 0)
  await entry.stop()
})

test('a fleet that takes no batches gets single calls; a mixed one loses and fails nothing', async () => {
  const old = contract('old', {
    item: procedure({
      nats: 'item',
      access: 'internal',
      request: Type.Object({ id: Type.String() }),
      response: Type.Object({ id: Type.String() }),
    }),
  })
  const ids = Array.from({ length: 100 }, (_, index) => `i${index}`)
  const callAll = () => Promise.all(ids.map(id => outcome(caller.call(old.item, { id }))))
  assert.deepEqual(new Set(await callAll()), new Set(['SERVICE_UNAVAILABLE']), 'nobody at all')
  const alone = await heardOn('old.item')
  raw.subscribe('old.item', { queue: 'q', callback: (_error, msg) => void msg.respond(msg.data) })
  await raw.flush()
  const fresh = await client(server.url)
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await Promise.all(ids.map(id => outcome(fresh.call(old.item, { id })))), ids)
  }
  assert.ok(alone.length >= 300)
  const modern = await serve({
    name: 'old',
    contracts: [old],
    natsUrl: server.url,
    endpoints: group => group.implement(old, { item: ({ data }) => data }),
  })
  const another = await client(server.url)
  for (const each of [fresh, another]) {
    assert.deepEqual(await Promise.all(ids.map(id => outcome(each.call(old.item, { id })))), ids)
  }
  await modern.service.stop()
})

test('replies that nobody may give: foreign tokens, junk, twice, none', async () => {
  const trap = contract('trap', {
    item: procedure({ nats: 'item', access: 'internal', response: Type.Any() }),
    other: procedure({ nats: 'other', access: 'internal', response: Type.Any() }),
  })
  const foreign: string[] = []
  raw.subscribe('trap.other.batch', {
    callback: (_error, msg) => {
      for (const [token] of JSON.parse(msg.string())) foreign.push(token)
    },
  })
  raw.subscribe('trap.item.batch', {
    callback: (_error, msg) => {
      const tokens = (JSON.parse(msg.string()) as [string][]).map(([token]) => token)
      const [first, second, third] = tokens
      msg.respond(JSON.stringify(foreign.map(token => [token, 'stolen'])))
      msg.respond(JSON.stringify([null, 5, [], [5], [{}], ['zzz', 1], [first, 1], [first, 2], [second, null, {}]]))
      msg.respond(JSON.stringify([[third, null, { error: 5, name: {}, errorData: 7, retryAfterSeconds: 'x' }]]))
    },
  })
  await raw.flush()
  await Promise.allSettled([caller.call(trap.item, undefined, { timeoutMs: 10 })])
  const others = Promise.allSettled(
    Array.from({ length: 4 }, () => caller.call(trap.other, undefined, { timeoutMs: 400 })),
  )
  await until('the others are under way', () => foreign.length >= 3)
  const items = Array.from({ length: 5 }, () => caller.call(trap.item, undefined, { timeoutMs: 200 }).catch(codeOf))
  const [, ...answers] = await Promise.all(items)
  assert.deepEqual(answers.slice(0, 4), [1, 'REMOTE_FAILURE', 'REMOTE_FAILURE', 'DEADLINE_EXCEEDED'])
  const [, ...together] = await others
  for (const each of together) assert.ok(each.status === 'rejected' && each.reason instanceof DEADLINE_EXCEEDED)
  assert.equal(caller.pendingRequests, 0)
})

test('a reply that is no list tells of the whole batch', async () => {
  const odd = contract('odd', { item: procedure({ nats: 'item', access: 'internal', response: Type.Any() }) })
  raw.subscribe('odd.item', { callback: (_error, msg) => void msg.respond('{"error":"503:alone"}') })
  raw.subscribe('odd.item.batch', { callback: (_error, msg) => void msg.respond('{"error":"503:all of it"}') })
  await raw.flush()
  const calls = await Promise.allSettled(Array.from({ length: 5 }, () => caller.call(odd.item, undefined)))
  for (const call of calls) assert.ok(call.status === 'rejected' && call.reason instanceof SERVICE_UNAVAILABLE)
})

test('a request that is too large for one message is refused here', async () => {
  await assert.rejects(caller.call(shop.item, { id: 'x'.repeat(2_000_000) }), PAYLOAD_TOO_LARGE)
})

test('two instances are busy at the same time and share the load', async () => {
  const pair = contract('pair', { work: procedure({ nats: 'work', access: 'internal', response: Type.String() }) })
  const busy = new Map<string, number>()
  let together = 0
  const start = (by: string) =>
    serve({
      name: 'pair',
      contracts: [pair],
      natsUrl: server.url,
      endpoints: group =>
        group.implement(pair, {
          work: async () => {
            busy.set(by, (busy.get(by) ?? 0) + 1)
            if ([...busy.values()].every(count => count > 0) && busy.size === 2) together += 1
            await sleep(5)
            busy.set(by, (busy.get(by) ?? 0) - 1)
            return by
          },
        }),
    })
  const both = await Promise.all([start('one'), start('two')])
  const done = { one: 0, two: 0 }
  let left = 20_000
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (left-- > 0) done[(await caller.call(pair.work, undefined)) as 'one' | 'two'] += 1
    }),
  )
  const share = done.one / (done.one + done.two)
  assert.ok(share > 0.4 && share < 0.6, `${done.one}:${done.two}`)
  assert.ok(together > 10_000, `${together} of 20000 begun while both were busy`)
  await Promise.all(both.map(each => each.service.stop()))
})
