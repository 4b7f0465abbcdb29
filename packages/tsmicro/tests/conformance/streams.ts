import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Handler, implement, SERVICE_UNAVAILABLE, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { bearer } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const Item = Type.Object({ n: Type.Integer(), text: Type.Optional(Type.String()) })
const Asked = Type.Object({
  count: Type.Integer(),
  failAt: Type.Optional(Type.Integer()),
  as: Type.Optional(Type.String()),
})
const { RAN_OUT } = defineErrors({
  RAN_OUT: { status: 409, message: 'Ran out', data: Type.Object({ left: Type.Integer() }) },
})
const both = <const Name extends string>(name: Name) =>
  ({ http: `GET /${name}`, nats: name, access: 'open', input: Asked, errors: { RAN_OUT } }) as const
const feed = contract('feed', {
  count: procedure({ ...both('count'), output: stream(Item) }),
  numbered: procedure({ ...both('numbered'), output: stream(Item, { id: 'n' }) }),
  short: procedure({ ...both('short'), output: stream(Item, { id: 'n', totalMs: 300 }) }),
  brief: procedure({ ...both('brief'), output: stream(Item, { totalMs: 300 }) }),
  mine: procedure({ ...both('mine'), access: 'user', output: stream(Item) }),
})
type Ask = { readonly count: number; readonly failAt?: number; readonly as?: string }

/** Streams are the same at both doors: what arrives, how they end, and what ends their handlers. */
export async function streams(open: OpenNetwork) {
  const network = await open()
  const seen = { begun: 0, ended: 0, resumed: [] as (string | undefined)[] }
  const start = async (maxStreams?: number) => {
    async function* produce({ input, errors, signal, lastEventId }: Parameters<Handler<typeof feed.numbered>>[0]) {
      seen.begun += 1
      if (lastEventId !== undefined) seen.resumed.push(lastEventId)
      try {
        for (let n = lastEventId === undefined ? 0 : Number(lastEventId) + 1; n < input.count; n++) {
          if (n === input.failAt) {
            if (input.as === 'bug') throw new Error('a secret')
            if (input.as === 'mismatch') yield { n: 'one' } as never
            throw new errors.RAN_OUT({ left: n })
          }
          if (input.as === 'slow') await sleep(20, undefined, { signal })
          yield { n, secret: 1 }
        }
        if (input.as === 'hang') await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      } finally {
        seen.ended += 1
      }
    }
    const handler = (call: object) => produce(call as never)
    return serve({
      name: 'feed',
      network,
      ...(maxStreams === undefined ? {} : { limits: { maxStreams } }),
      handlers: [implement(feed, { count: handler, numbered: handler, short: handler, brief: handler, mine: handler })],
    })
  }
  const { service, log } = await start()
  after(() => service.stop())
  const caller = await connected(network)
  const doors = {
    http: createHttpClient(feed, { baseUrl: service.url }),
    nats: caller.client(feed),
  }
  const finished = () => until('every handler has ended', () => seen.begun === seen.ended)

  /** What a caller sees of a stream: its items and how it ended. */
  async function read(items: AsyncIterable<{ n: number }>, most = Number.POSITIVE_INFINITY) {
    const numbers: number[] = []
    try {
      if (most === 0) return { numbers, ended: 'left' }
      for await (const item of items) {
        assert.deepEqual(Object.keys(item), ['n'])
        numbers.push(item.n)
        if (numbers.length === most) return { numbers, ended: 'left' }
      }
      return { numbers, ended: 'done' }
    } catch (error) {
      if (!(error instanceof ApiError)) return { numbers, ended: String(error) }
      return { numbers, ended: error.code, data: (error as ApiError).data, type: error.constructor }
    }
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

  for (const [door, client] of Object.entries(doors)) {
    const ask = (input: Ask, most?: number) => read(client.count(input), most)

    test(`${door}: all items in order, then the end`, async () => {
      for (const count of [0, 1, 2, 63, 64, 65, 1000]) {
        assert.deepEqual(await ask({ count }), { numbers: upTo(count), ended: 'done' })
      }
      await finished()
    })

    test(`${door}: a declared failure arrives as its class, after the items before it`, async () => {
      for (const failAt of [0, 1, 100]) {
        const told = await ask({ count: 1000, failAt })
        assert.deepEqual(told, { numbers: upTo(failAt), ended: 'RAN_OUT', data: { left: failAt }, type: RAN_OUT })
      }
      await finished()
    })

    test(`${door}: other errors and items that do not match are INTERNAL, and logged`, async () => {
      for (const as of ['bug', 'mismatch']) {
        const { numbers, ended } = await ask({ count: 10, failAt: 5, as })
        assert.deepEqual({ numbers, ended }, { numbers: upTo(5), ended: 'INTERNAL' })
      }
      await finished()
      assert.match(JSON.stringify(log.at('error').map(({ fields }) => String(fields.err))), /a secret.*does not match/)
      log.lines.length = 0
    })

    test(`${door}: a caller that leaves ends the handler`, async () => {
      assert.deepEqual(await ask({ count: 1e9 }, 5), { numbers: upTo(5), ended: 'left' })
      await finished()
      assert.deepEqual(await ask({ count: 1e9 }, 500), { numbers: upTo(500), ended: 'left' })
      await finished()
      const controller = new AbortController()
      const hanging = read(client.count({ count: 3, as: 'hang' }, { signal: controller.signal }))
      await until('it hangs', () => seen.begun === seen.ended + 1)
      controller.abort(new Error('changed my mind'))
      assert.equal((await hanging).ended, 'Error: changed my mind')
      await finished()
    })

    test(`${door}: nothing is asked for before it is read, and each loop asks again`, async () => {
      const { begun } = seen
      const items = client.count({ count: 2 })
      assert.deepEqual(await read(items), { numbers: [0, 1], ended: 'done' })
      assert.deepEqual(await read(items), { numbers: [0, 1], ended: 'done' })
      assert.equal(seen.begun, begun + 2)
    })

    test(`${door}: what is refused is refused before the first item`, async () => {
      const { begun } = seen
      await assert.rejects(
        read(client.count({ count: 'x' } as never)).then(told => Promise.reject(told)),
        {
          ended: 'VALIDATION_FAILED',
          type: VALIDATION_FAILED,
        },
      )
      assert.equal((await read(client.mine({ count: 1 }))).ended, 'UNAUTHENTICATED')
      assert.equal(seen.begun, begun)
    })

    test(`${door}: one whose time is over is resumed where it was if its items have ids`, async () => {
      seen.resumed.length = 0
      const { numbers, ended } = await read(client.short({ count: 25, as: 'slow' }))
      assert.deepEqual({ numbers, ended }, { numbers: upTo(25), ended: 'done' })
      assert.ok(seen.resumed.length > 0)
      const told = await read(client.brief({ count: 60, as: 'slow' }))
      assert.equal(told.ended, 'SERVICE_UNAVAILABLE')
      assert.equal(told.type, SERVICE_UNAVAILABLE)
      assert.deepEqual(told.numbers, upTo(told.numbers.length))
      await finished()
    })
  }

  test('the user is known at both doors', async () => {
    const http = createHttpClient(feed, { baseUrl: service.url, headers: bearer('ann.READER') })
    assert.deepEqual(await read(http.mine({ count: 2 })), { numbers: [0, 1], ended: 'done' })
  })
}
