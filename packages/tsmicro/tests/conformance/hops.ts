import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CallContext, FORBIDDEN, implement, type NatsClient, UNAUTHENTICATED } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { bearer } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const { GONE } = defineErrors({ GONE: { status: 410, message: 'Gone' } })
const Seen = Type.Object({
  requestId: Type.String(),
  traceparent: Type.Optional(Type.String()),
  leftMs: Type.Number(),
  token: Type.Boolean(),
  user: Type.Optional(Type.String()),
})
const How = Type.Object({ how: Type.String() })
const back = contract('back', {
  look: procedure({ nats: 'look', access: 'internal', output: Seen }),
  lookAsUser: procedure({ nats: 'look.user', access: 'user', output: Seen }),
  fail: procedure({ nats: 'fail', access: 'internal', input: How, errors: { GONE, FORBIDDEN, UNAUTHENTICATED } }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
})
const middle = contract('middle', {
  pass: procedure({ nats: 'pass', access: 'internal', output: Type.Array(Seen) }),
})
const front = contract('front', {
  look: procedure({ http: 'GET /look', access: 'user', output: Type.Array(Seen), timeoutMs: 2000 }),
  fail: procedure({ http: 'GET /fail/:how', access: 'key', input: How }),
  hang: procedure({ http: 'GET /hang', access: 'key', timeoutMs: 150 }),
})

export async function hops(open: OpenNetwork) {
  const network = await open()
  const look = ({ context }: { context: CallContext }) => ({
    requestId: context.requestId,
    ...(context.traceparent ? { traceparent: context.traceparent } : {}),
    leftMs: context.deadline.remainingMs(),
    token: context.token !== undefined,
    ...(context.user ? { user: context.user.id } : {}),
  })
  let hangAborted = 0
  const b = await serve({
    name: 'back',
    network,
    handlers: [
      implement(back, {
        look,
        lookAsUser: look,
        fail: ({ input, errors }) => {
          if (input.how === 'forbidden') throw new errors.FORBIDDEN()
          if (input.how === 'unauthenticated') throw new errors.UNAUTHENTICATED()
          throw new errors.GONE()
        },
        hang: async ({ signal }) => {
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          hangAborted += 1
        },
      }),
    ],
  })
  const a: { nats?: NatsClient } = {}
  const m = await serve({
    name: 'middle',
    calls: [back],
    network,
    handlers: [
      implement(middle, {
        pass: async call => {
          await sleep(30)
          const further = a.nats
          if (!further) throw new Error('not wired')
          return [look(call), await further.client(back).look()]
        },
      }),
    ],
  })
  a.nats = m.nats
  const f = await serve({
    name: 'front',
    calls: [middle, back],
    network,
    handlers: [
      implement(front, {
        look: async call => {
          const own = look(call)
          await sleep(30)
          const passed = await f.nats.client(middle).pass({}, { timeoutMs: 60_000 })
          return [own, ...passed, await f.nats.client(back).lookAsUser()]
        },
        fail: async ({ input }) => f.nats.client(back).fail(input),
        hang: async () => f.nats.client(back).hang(),
      }),
    ],
  })
  after(() => Promise.all([f, m, b].map(({ service }) => service.stop())))

  test('request id, trace and what is left of the budget travel over every hop; the token only where a user is asked for', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const headers = { ...bearer('ann.READER'), traceparent, 'x-request-id': 'hop-1' }
    const answer = await fetch(`${f.service.url}/look`, { headers })
    const { data } = (await answer.json()) as { data: ReturnType<typeof look>[] }
    assert.equal(answer.status, 200)
    assert.deepEqual(
      data.map(({ requestId, traceparent: trace }) => [requestId, trace]),
      Array(4).fill(['hop-1', traceparent]),
    )
    const [atFront, atMiddle, atBack] = data.map(({ leftMs }) => leftMs)
    assert.ok(Number(atFront) <= 2000 && Number(atMiddle) < Number(atFront) && Number(atBack) < Number(atMiddle))
    assert.deepEqual(
      data.map(({ token }) => token),
      [true, false, false, true],
    )
    assert.equal(data[3]?.user, 'ann')
  })

  test('a dependency’s failures are not passed on as ours', async () => {
    for (const how of ['gone', 'forbidden', 'unauthenticated']) {
      const answer = await fetch(`${f.service.url}/fail/${how}`)
      assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [500, 'INTERNAL'], how)
    }
    assert.equal(f.log.at('error').length, 3)
  })

  test('the budget ends everywhere: the front answers 504, and the handler at the back is aborted', async () => {
    const answer = await fetch(`${f.service.url}/hang`)
    assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [504, 'DEADLINE_EXCEEDED'])
    await until('the handler at the back was aborted', () => hangAborted === 1)
    assert.equal(f.nats.pendingRequests, 0)
  })
}
