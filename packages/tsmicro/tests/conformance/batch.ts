import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, PAYLOAD_TOO_LARGE } from 'tsmicro'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

const { NOT_HERE } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here', data: Type.Object({ id: Type.String() }) },
})
const shop = contract('shop', {
  item: procedure({
    nats: 'item',
    access: 'internal',
    input: Type.Object({ id: Type.String() }),
    output: Type.Object({ id: Type.String() }),
    errors: { NOT_HERE },
  }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  who: procedure({ nats: 'who', access: 'user', output: Type.Array(Type.String()) }),
})
const front = contract('front', {
  who: procedure({ http: 'GET /who', access: 'user', output: Type.Array(Type.String()) }),
})

export async function batch(open: OpenNetwork) {
  const network = await open()
  let release = Promise.withResolvers<void>()
  const begun: string[] = []
  const aborted: string[] = []
  const { service } = await serve({
    network,
    handlers: [
      implement(shop, {
        item: async ({ input: { id }, errors, signal }) => {
          if (id === 'none') throw new errors.NOT_HERE({ id })
          if (id === 'bug') throw new Error('secret')
          if (id === 'large') return { id: 'x'.repeat(2_000_000) }
          if (id.startsWith('slow')) {
            begun.push(id)
            signal.addEventListener('abort', () => aborted.push(id))
            await release.promise
          }
          return { id }
        },
        nothing: () => {},
        who: ({ user, context }) => [user.id, context.requestId],
      }),
    ],
  })
  const caller = await connected(network)
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.stop()
  })
  const outcome = (call: Promise<{ readonly id: string }>) =>
    call.then(
      ({ id }) => id,
      error => (error instanceof ApiError ? error.code : String(error)),
    )

  test('calls of one turn share messages evenly; a lone call travels alone, at once', async () => {
    const together = await heardOn(raw, 'shop.item.batch')
    const alone = await heardOn(raw, 'shop.item')
    assert.deepEqual(await caller.client(shop).item({ id: 'a' }), { id: 'a' })
    await raw.flush()
    assert.deepEqual([together.length, alone.length], [0, 1])

    const ids = Array.from({ length: 41 }, (_, index) => `i${index}`)
    assert.deepEqual(await Promise.all(ids.map(id => outcome(caller.client(shop).item({ id })))), ids)
    await raw.flush()
    assert.deepEqual(
      together.map(msg => (JSON.parse(msg.string()) as unknown[]).length),
      [14, 14, 12],
    )
    assert.equal(alone.length, 2, 'the first could not know that others would follow')
  })

  test('batching off: every call in a message of its own', async () => {
    const single = await connected(network, { batching: false })
    const together = await heardOn(raw, 'shop.item.batch')
    await Promise.all(Array.from({ length: 20 }, () => single.client(shop).item({ id: 'a' })))
    await raw.flush()
    assert.equal(together.length, 0)
  })

  test('each call has its own outcome: one that fails, hangs, is given up, expires or is too large affects no other', async () => {
    release = Promise.withResolvers()
    const controller = new AbortController()
    const ids = ['a', 'none', 'bug', 'large', 'b', 'slow-1', 'c']
    const calls = ids.map(id => outcome(caller.client(shop).item({ id }, { timeoutMs: 20_000 })))
    const expired = outcome(caller.client(shop).item({ id: 'slow-expired' }, { timeoutMs: 200 }))
    const given = outcome(caller.client(shop).item({ id: 'slow-given-up' }, { signal: controller.signal }))
    const tooLarge = outcome(caller.client(shop).item({ id: 'x'.repeat(2_000_000) }))
    const last = outcome(caller.client(shop).item({ id: 'd' }))
    const quick = calls.filter((_, index) => ids[index] !== 'slow-1')
    assert.deepEqual(await Promise.all(quick), ['a', 'NOT_HERE', 'INTERNAL', 'INTERNAL', 'b', 'c'])
    assert.deepEqual(await Promise.all([tooLarge, last]), ['PAYLOAD_TOO_LARGE', 'd'])
    await until('it has begun', () => begun.includes('slow-given-up'))
    controller.abort(new Error('changed my mind'))
    assert.deepEqual(await Promise.all([expired, given]), ['DEADLINE_EXCEEDED', 'Error: changed my mind'])
    // On a busy machine the short call may expire before it starts.
    const ended = begun.filter(id => id !== 'slow-1')
    await until('whoever works on them hears of it', () => aborted.length === ended.length)
    assert.deepEqual(aborted.sort(), ended.sort())
    release.resolve()
    assert.equal(await calls[5], 'slow-1')
    assert.equal(caller.pendingRequests, 0)
  })

  test('a declared error arrives with its data, a reply without data as undefined', async () => {
    const calls = await Promise.allSettled([
      caller.client(shop).item({ id: 'none' }),
      caller.client(shop).item({ id: 'none' }),
      caller.client(shop).item({ id: 'none' }),
    ])
    for (const call of calls) {
      assert.ok(call.status === 'rejected' && call.reason instanceof NOT_HERE)
      assert.deepEqual(call.reason.data, { id: 'none' })
    }
    const nothing = Array.from({ length: 5 }, () => caller.client(shop).nothing())
    assert.deepEqual(await Promise.all(nothing), Array(5).fill(undefined))
  })

  test('every call keeps its own user and request id', async () => {
    const { service: entry, nats } = await serve({
      name: 'front',
      calls: [shop],
      network,
      handlers: [implement(front, { who: () => nats.client(shop).who() })],
    })
    const together = await heardOn(raw, 'shop.who.batch')
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

  test('a request that is too large for one message is refused before it is sent', async () => {
    await assert.rejects(caller.client(shop).item({ id: 'x'.repeat(2_000_000) }), PAYLOAD_TOO_LARGE)
  })
}
