import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DEADLINE_EXCEEDED,
  FORBIDDEN,
  implement,
  PAYLOAD_TOO_LARGE,
  SERVICE_UNAVAILABLE,
  VALIDATION_FAILED,
} from 'tsmicro'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import { MALFORMED_REPLY } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'
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
  zod: procedure({
    nats: 'zod',
    access: 'internal',
    input: z.object({ n: z.string().regex(/^\d+$/).transform(Number).default(4) }),
    output: z.object({ n: z.number() }),
  }),
  hang: procedure({ nats: 'hang', access: 'internal', timeoutMs: 100 }),
  forbid: procedure({ nats: 'forbid', access: 'internal', errors: { FORBIDDEN } }),
  nobody: procedure({ nats: 'nobody', access: 'internal' }),
})
const { nobody: _, ...implemented } = shop
export async function calls(open: OpenNetwork) {
  const network = await open()
  const { service } = await serve({
    network,
    handlers: [
      implement(implemented, {
        item: ({ input, errors }) => {
          if (input.id === 'none') throw new errors.NOT_HERE({ id: 'none' }, { message: 'Gone', retryAfterSeconds: 9 })
          if (input.id === 'wrong') return { ID: 'x' } as never
          return input
        },
        zod: ({ input }) => ({ n: input.n + 1 }),
        hang: () => sleep(60_000, undefined, { ref: false }),
        forbid: ({ errors }) => {
          throw new errors.FORBIDDEN()
        },
      }),
    ],
  })
  const caller = network.client('tests')
  await caller.connect()
  after(async () => {
    await caller.close()
    await service.stop()
  })
  const answers = (subject: string, body: string) =>
    caller.use().subscribe(subject, { callback: (_error, msg) => void msg.respond(body) })

  test('a call resolves to the data', async () => {
    assert.deepEqual(await caller.client(shop).item({ id: 'a' }), { id: 'a' })
    assert.deepEqual(await caller.request('shop.item', { id: 'b' }), { id: 'b' })
  })

  test('a declared error arrives as the same class with data, message and retry time', async () => {
    await assert.rejects(caller.client(shop).item({ id: 'none' }), error => {
      assert.ok(error instanceof NOT_HERE)
      assert.deepEqual(
        [error.data, error.message, error.status, error.retryAfterSeconds],
        [{ id: 'none' }, 'Gone', 404, 9],
      )
      return true
    })
    await assert.rejects(caller.client(shop).forbid(), FORBIDDEN)
  })

  test('a request that does not match is not even sent; sent without a contract, the service refuses it', async () => {
    await assert.rejects(caller.client(shop).item({ id: 5 } as never), VALIDATION_FAILED)
    await assert.rejects(caller.request('shop.item', { id: 5 }), error => {
      assert.ok(error instanceof VALIDATION_FAILED)
      assert.deepEqual(error.data, [{ path: 'id', message: 'must be string' }])
      return true
    })
  })

  test('Standard Schema at both ends: the receiver’s defaults and conversions apply', async () => {
    assert.deepEqual(await caller.client(shop).zod({ n: '6' }), { n: 7 })
    assert.deepEqual(await caller.client(shop).zod({}), { n: 5 })
    await assert.rejects(caller.client(shop).zod({ n: 'x' }), VALIDATION_FAILED)
  })

  test('SERVICE_UNAVAILABLE when nobody listens, DEADLINE_EXCEEDED when nobody answers in time', async () => {
    await assert.rejects(caller.client(shop).nobody({}, { timeoutMs: 600_000 }), SERVICE_UNAVAILABLE)
    await assert.rejects(caller.client(shop).hang(), DEADLINE_EXCEEDED)
    await assert.rejects(caller.client(shop).hang({}, { timeoutMs: 5 }), DEADLINE_EXCEEDED)
    await assert.rejects(caller.client(shop).hang({}, { timeoutMs: 0 }), DEADLINE_EXCEEDED)
  })

  test('a signal ends the wait with its reason, before and during the call', async () => {
    const reason = new Error('changed my mind')
    await assert.rejects(caller.client(shop).hang({}, { signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const call = caller.client(shop).hang({}, { signal: controller.signal, timeoutMs: 60_000 })
    setImmediate(() => controller.abort(reason))
    await assert.rejects(call, reason)
    assert.equal(caller.pendingRequests, 0)
  })

  test('a request that is too large is refused before it is sent', async () => {
    await assert.rejects(caller.client(shop).item({ id: 'x'.repeat(2_000_000) }), PAYLOAD_TOO_LARGE)
  })

  test('answers of a Go service: the body alone says that it is an error', async () => {
    answers('go.found', '{"data":{"n":1},"extra":1}')
    answers('go.missing', '{"error":"404:user not found"}')
    answers('go.down', '{"error":"503:pg at 10.0.0.3 refused"}')
    answers('go.late', '{"error":"504:too slow"}')
    answers('go.odd', '{"error":"it broke"}')
    answers('go.weird', '{"error":{"a":1}}')
    answers('go.low', '{"error":"200:fine?"}')
    assert.deepEqual(await caller.request('go.found', {}), { n: 1 })
    const failure = async (subject: string) => {
      const error = await caller.request(subject, {}).catch(thrown => thrown)
      assert.ok(error instanceof ApiError)
      return [error.code, error.status, error.message]
    }
    assert.deepEqual(await failure('go.missing'), ['REMOTE_FAILURE', 404, 'user not found'])
    assert.deepEqual(await failure('go.odd'), ['REMOTE_FAILURE', 500, 'it broke'])
    assert.deepEqual((await failure('go.weird')).slice(0, 2), ['REMOTE_FAILURE', 500])
    assert.deepEqual((await failure('go.low')).slice(0, 2), ['REMOTE_FAILURE', 500])
    assert.equal((await failure('go.late'))[0], 'DEADLINE_EXCEEDED')
    // Handlers pass this one on undeclared, so the underlying text must not be its message.
    assert.deepEqual(await failure('go.down'), ['SERVICE_UNAVAILABLE', 503, new SERVICE_UNAVAILABLE().message])
  })

  test('an unreadable answer, or one that does not match, is MALFORMED_REPLY', async () => {
    const bad = contract('bad', {
      reply: procedure({
        nats: 'reply',
        access: 'internal',
        input: Type.Object({}),
        output: Type.Object({ n: Type.Integer() }),
        errors: { NOT_HERE },
      }),
    })
    for (const body of ['', '{', 'null', '[1]', '{"data":{"n":"1"}}', '\0']) {
      const subscription = answers('bad.reply', body)
      await assert.rejects(caller.client(bad).reply({}), MALFORMED_REPLY, body)
      subscription.unsubscribe()
    }
    await assert.rejects(caller.client(shop).item({ id: 'wrong' }), error => (error as ApiError).code === 'INTERNAL')
  })

  test('nothing is left over: no pending call, no additional subscription', async () => {
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 100 }, () => caller.client(shop).item({ id: 'a' })))
    }
    assert.equal(caller.pendingRequests, 0)
  })
}
