import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { currentContext, implement, withSharedContext } from 'tsmicro'
import { createCacheStore } from 'tsmicro/cache'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const back = contract('back', { slow: procedure({ nats: 'slow', access: 'internal', output: Type.String() }) })
const front = contract('front', { ask: procedure({ http: 'GET /ask', access: 'key', output: Type.String() }) })
const nats = await ownNats()
let gate = Promise.withResolvers<void>()
const seen: { requestId: string; signal: AbortSignal }[] = []
const behind = await serve({
  name: 'back',
  natsUrl: nats.url,
  handlers: [
    implement(back, {
      slow: async ({ context, signal }) => {
        seen.push({ requestId: context.requestId, signal })
        await gate.promise
        return 'done'
      },
    }),
  ],
})
const cache = createCacheStore({ share: withSharedContext }).cache<string>('shared')
let asking = 0
const asked = await serve({
  name: 'front',
  calls: [back],
  natsUrl: nats.url,
  handlers: [
    implement(front, {
      ask: ({ signal }) => {
        asking += 1
        return cache.getOrSet('key', () => asked.nats.client(back).slow(), { signal })
      },
    }),
  ],
})
after(() => Promise.all([asked, behind].map(({ service }) => service.stop())))
const ask = (id: string, signal?: AbortSignal) =>
  fetch(`${asked.service.url}/ask`, { headers: { 'x-request-id': id }, ...(signal ? { signal } : {}) })

test('a caller who leaves does not end what others wait for; when all have left, it ends at the other service as well', async () => {
  const first = new AbortController()
  const gone = assert.rejects(ask('first', first.signal))
  await until('the call is worked on', () => seen.length === 1)
  const second = ask('second')
  await until('both wait', () => asking === 2)
  first.abort()
  await gone
  gate.resolve()
  const answer = await second
  assert.deepEqual([answer.status, ((await answer.json()) as { data: string }).data], [200, 'done'])
  assert.equal(seen[0]?.requestId, 'first')
  assert.equal(seen.length, 1)

  await cache.clear()
  gate = Promise.withResolvers()
  const both = [new AbortController(), new AbortController()]
  const left = both.map(({ signal }, n) => assert.rejects(ask(`leaver-${n}`, signal)))
  await until('the next call is worked on, and both wait', () => seen.length === 2 && asking === 4)
  const signal = seen[1]?.signal
  both[0]?.abort()
  await left[0]
  assert.equal(signal?.aborted, false)
  both[1]?.abort()
  await Promise.all(left)
  await until('it is cancelled', () => signal?.aborted === true)
  gate.resolve()
  await until('nothing waits', () => asked.nats.pendingRequests === 0)
  assert.deepEqual(asked.log.at('error'), [])
})

test('outside of a call, it just runs', async () => {
  assert.equal(await withSharedContext(new AbortController().signal, async () => currentContext()), undefined)
})
