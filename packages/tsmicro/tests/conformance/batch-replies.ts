import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DEADLINE_EXCEEDED, implement, SERVICE_UNAVAILABLE } from 'tsmicro'
import { ApiError, contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

const codeOf = (error: unknown) => (error instanceof ApiError ? error.code : String(error))
const outcome = (call: Promise<{ readonly id: string }>) => call.then(({ id }) => id, codeOf)

/** Calls of one turn to services that take no batches, or answer them in wrong ways. */
export async function batchReplies(open: OpenNetwork) {
  const network = await open()
  const caller = await connected(network)
  const raw = await network.raw()
  after(() => raw.close())

  test('a fleet that takes no batches gets single calls; in a mixed one no call is lost or fails', async () => {
    const old = contract('old', {
      item: procedure({
        nats: 'item',
        access: 'internal',
        input: Type.Object({ id: Type.String() }),
        output: Type.Object({ id: Type.String() }),
      }),
    })
    const ids = Array.from({ length: 100 }, (_, index) => `i${index}`)
    const callAll = () => Promise.all(ids.map(id => outcome(caller.client(old).item({ id }))))
    assert.deepEqual(new Set(await callAll()), new Set(['SERVICE_UNAVAILABLE']), 'nobody at all')
    const alone = await heardOn(raw, 'old.item')
    raw.subscribe('old.item', { queue: 'q', callback: (_error, msg) => void msg.respond(msg.data) })
    await raw.flush()
    const fresh = await connected(network)
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await Promise.all(ids.map(id => outcome(fresh.client(old).item({ id })))), ids)
    }
    assert.ok(alone.length >= 300)
    const modern = await serve({
      name: 'old',
      network,
      handlers: [implement(old, { item: ({ input }) => input })],
    })
    const another = await connected(network)
    for (const each of [fresh, another]) {
      assert.deepEqual(await Promise.all(ids.map(id => outcome(each.client(old).item({ id })))), ids)
    }
    await modern.service.stop()
  })

  test('invalid replies: foreign tokens, junk, two for one call, none', async () => {
    const trap = contract('trap', {
      item: procedure({ nats: 'item', access: 'internal', output: Type.Any() }),
      other: procedure({ nats: 'other', access: 'internal', output: Type.Any() }),
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
        msg.respond(JSON.stringify(foreign.filter(token => !tokens.includes(token)).map(token => [token, 'stolen'])))
        msg.respond(JSON.stringify([null, 5, [], [5], [{}], ['zzz', 1], [first, 1], [first, 2], [second, null, {}]]))
        msg.respond(JSON.stringify([[third, null, { error: 5, name: {}, errorData: 7, retryAfterSeconds: 'x' }]]))
      },
    })
    await raw.flush()
    await Promise.allSettled([caller.client(trap).item({}, { timeoutMs: 10 })])
    const others = Promise.allSettled(
      Array.from({ length: 4 }, () => caller.client(trap).other({}, { timeoutMs: 400 })),
    )
    await until('the others are under way', () => foreign.length >= 3)
    const items = Array.from({ length: 5 }, () => caller.client(trap).item({}, { timeoutMs: 200 }).catch(codeOf))
    const [, ...answers] = await Promise.all(items)
    assert.deepEqual(answers.slice(0, 4), [1, 'REMOTE_FAILURE', 'REMOTE_FAILURE', 'DEADLINE_EXCEEDED'])
    const [, ...together] = await others
    for (const each of together) assert.ok(each.status === 'rejected' && each.reason instanceof DEADLINE_EXCEEDED)
    assert.equal(caller.pendingRequests, 0)
  })

  test('a reply that is not a list is for the whole batch', async () => {
    const odd = contract('odd', { item: procedure({ nats: 'item', access: 'internal', output: Type.Any() }) })
    raw.subscribe('odd.item', { callback: (_error, msg) => void msg.respond('{"error":"503:alone"}') })
    raw.subscribe('odd.item.batch', { callback: (_error, msg) => void msg.respond('{"error":"503:all of it"}') })
    await raw.flush()
    const calls = await Promise.allSettled(Array.from({ length: 5 }, () => caller.client(odd).item()))
    for (const call of calls) assert.ok(call.status === 'rejected' && call.reason instanceof SERVICE_UNAVAILABLE)
  })
}
