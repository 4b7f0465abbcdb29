import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { DEADLINE_EXCEEDED, implement, OVERLOADED, SERVICE_UNAVAILABLE } from 'tsmicro'
import { ApiError, contract, frameworkErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { roundTrip, until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { Refused, receiveAll } from './network/foreign.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

const Asked = Type.Object({ count: Type.Integer(), bytes: Type.Optional(Type.Integer()) })
const Item = Type.Object({ n: Type.Integer(), text: Type.Optional(Type.String()) })
const feed = contract('feed', {
  follow: procedure({ nats: 'follow', access: 'internal', input: Asked, output: stream(Item, { id: 'n' }) }),
  watch: procedure({ nats: 'watch', access: 'internal', output: stream(Item) }),
})
const front = contract('front', {
  passOn: procedure({ nats: 'pass.on', access: 'internal', input: Asked, output: stream(Item) }),
  ask: procedure({ nats: 'ask', access: 'internal', timeoutMs: 200 }),
})
/** The same procedures in a version that answered one message. */
const older = contract('feed', {
  follow: procedure({ nats: 'follow', access: 'internal', output: Type.String() }),
  watch: procedure({ nats: 'watch', access: 'internal', output: Type.String() }),
})

/** What streams need of messages: flow control, signs of life, and nothing lost in silence. */
export async function flows(open: OpenNetwork) {
  const network = await open()
  const seen = { yielded: 0, begun: 0, ended: 0, reasons: [] as unknown[] }
  const start = (maxStreams = 100) =>
    serve({
      name: 'feed',
      network,
      limits: { maxStreams },
      handlers: [
        implement(feed, {
          follow: async function* ({ input, lastEventId, signal }) {
            seen.begun += 1
            try {
              const text = 'x'.repeat(input.bytes ?? 0)
              for (let n = lastEventId === undefined ? 0 : Number(lastEventId) + 1; n < input.count; n++) {
                seen.yielded += 1
                yield { n, text }
              }
            } finally {
              seen.ended += 1
              if (signal.aborted) seen.reasons.push(signal.reason)
            }
          },
          watch: async function* ({ signal }) {
            seen.begun += 1
            yield { n: 0 }
            await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
            seen.ended += 1
            seen.reasons.push(signal.reason)
          },
        }),
      ],
    })
  const { service, log } = await start()
  const caller = await connected(network)
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.stop()
  })
  const finished = () => until('every handler has ended', () => seen.begun === seen.ended)
  const numbers = async (items: AsyncIterable<{ n: number }>) => (await Array.fromAsync(items)).map(({ n }) => n)
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

  test('a slow caller holds the handler back: little is made that it has not read', async () => {
    for (const [bytes, most] of [
      [0, 70],
      [10_000, 35],
    ] as const) {
      const before = seen.yielded
      const items = caller.client(feed).follow({ count: 1e9, bytes })[Symbol.asyncIterator]()
      for (let read = 1; read <= 200; read++) {
        await items.next()
        await roundTrip(caller)
        assert.ok(seen.yielded - before <= read + most, `${seen.yielded - before} made, ${read} read`)
      }
      await items.return?.()
      await finished()
    }
  })

  test('many streams at once, each complete', async () => {
    const count = process.env.CI ? 500 : 50
    const all = await Promise.all(upTo(50).map(() => numbers(caller.client(feed).follow({ count }))))
    for (const each of all) assert.deepEqual(each, upTo(count))
    assert.equal(caller.pendingRequests, 0)
  })

  test('items as large as the server accepts; a larger one is a failure of the service', async () => {
    const large = await Array.fromAsync(caller.client(feed).follow({ count: 3, bytes: 900_000 }))
    assert.deepEqual(
      large.map(({ text }) => text?.length),
      [900_000, 900_000, 900_000],
    )
    log.lines.length = 0
    await assert.rejects(numbers(caller.client(feed).follow({ count: 3, bytes: 1_100_000 })), { code: 'INTERNAL' })
    assert.match(String(log.at('error')[0]?.fields.err), /larger than the NATS server accepts/)
    log.lines.length = 0
    await finished()
  })

  test('a client with nothing but NATS receives the same', async () => {
    for (const window of [{ items: 1 }, { items: 7, bytes: 1 }, { items: 1000, bytes: 1e6 }]) {
      const items = receiveAll(raw, 'feed.follow', { count: 300 }, window)
      assert.deepEqual(
        (await Array.fromAsync(items)).map(item => (item as { n: number }).n),
        upTo(300),
      )
    }
    await assert.rejects(receiveAll(raw, 'feed.follow', {}).next(), new Refused('400: VALIDATION_FAILED'))
    const left = receiveAll(raw, 'feed.watch', undefined)
    assert.deepEqual((await left.next()).value, { n: 0 })
    await left.return('')
    await finished()
  })

  test('a caller that no longer pulls is gone', async () => {
    seen.reasons.length = 0
    const opens = headers()
    opens.set('Tsmicro-Pulls', '1')
    const inbox = await heardOn(raw, '_INBOX.gone.*')
    raw.publish('feed.watch', '', { reply: '_INBOX.gone.0', headers: opens })
    await until('it is open', () => inbox.length === 1)
    const { stream: id, pull } = inbox[0]?.json<{ data: { stream: string; pull: string } }>().data ?? assert.fail()
    raw.publish(pull, JSON.stringify({ stream: id, items: 10, bytes: 1000, leaseMs: 50 }), { reply: '_INBOX.gone.1' })
    await until('its handler is told', () => seen.reasons.length === 1)
    assert.equal((seen.reasons[0] as Error).name, 'CallerGoneError')
    // A later pull learns that.
    raw.publish(pull, JSON.stringify({ stream: id, items: 20, bytes: 1000 }), { reply: '_INBOX.gone.2' })
    await until('it is told', () => inbox.some(({ subject }) => subject.endsWith('.2')))
    assert.equal(inbox.at(-1)?.headers?.get('Tsmicro-Error'), 'SERVICE_UNAVAILABLE')
  })

  test('a closed connection ends the handlers of its streams', async () => {
    const leaving = network.client('tests')
    await leaving.connect()
    const items = leaving.client(feed).watch()[Symbol.asyncIterator]()
    await items.next()
    const rest = assert.rejects(Promise.resolve(items.next()), SERVICE_UNAVAILABLE)
    await leaving.close()
    await rest
    await finished()
  })

  test('one procedure keeps so many streams open; more are refused at once', async () => {
    const { service: small } = await serve({
      name: 'front',
      network,
      limits: { maxStreams: 2 },
      handlers: [
        implement(front, {
          passOn: async function* ({ signal }) {
            yield { n: 0 }
            await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
          },
          ask() {},
        }),
      ],
    })
    const begin = () => caller.client(front).passOn({ count: 1 })[Symbol.asyncIterator]()
    const [first, second] = [begin(), begin()]
    await Promise.all([first.next(), second.next()])
    await assert.rejects(Promise.resolve(begin().next()), OVERLOADED)
    await first.return?.()
    await until('there is room again', () =>
      begin()
        .next()
        .then(
          () => true,
          () => false,
        ),
    )
    await small.stop()
  })

  test('through two services: who leaves at the front ends the handler behind', async () => {
    const { service: between, nats: own } = await serve({
      name: 'front',
      network,
      calls: [feed],
      handlers: [implement(front, { passOn: ({ input }) => own.client(feed).follow(input), ask: () => {} })],
    })
    assert.deepEqual(await numbers(caller.client(front).passOn({ count: 200 })), upTo(200))
    for await (const { n } of caller.client(front).passOn({ count: 1e9 })) if (n === 100) break
    await finished()
    await between.stop()
  })

  test('a handler that follows a stream stops when its own call is over: it does not come back for nobody', async () => {
    const ended: unknown[] = []
    const { service: between, nats: own } = await serve({
      name: 'front',
      network,
      calls: [feed],
      handlers: [
        implement(front, {
          passOn: () => [],
          ask: async () => {
            try {
              for await (const _ of own.client(feed).follow({ count: 1e9 }));
            } catch (error) {
              ended.push(error)
            }
          },
        }),
      ],
    })
    await assert.rejects(caller.client(front).ask(), DEADLINE_EXCEEDED)
    await until('its loop has ended', () => ended.length === 1)
    assert.ok(ended[0] instanceof DEADLINE_EXCEEDED)
    await finished()
    await between.stop()
  })

  test('a stopping service tells its callers to come back; another goes on where it was', async () => {
    const second = await start()
    const received: number[][] = []
    const following = Array.from({ length: 20 }, async () => {
      const got: number[] = []
      received.push(got)
      for await (const { n } of caller.client(feed).follow({ count: 400 })) {
        got.push(n)
        await roundTrip(caller)
      }
    })
    await until('all have begun', () => received.length === 20 && received.every(({ length }) => length > 10))
    await second.service.stop()
    await Promise.all(following)
    for (const each of received) assert.deepEqual(each, upTo(400))
    await finished()
    assert.deepEqual(second.log.at('warn'), [])
  })

  test('callers and services of a mixed fleet fail with an error that says so', async () => {
    await assert.rejects(caller.client(older).follow(), frameworkErrors.MALFORMED_REQUEST)
    await assert.rejects(caller.client(older).watch(), frameworkErrors.MALFORMED_REQUEST)
    await assert.rejects(
      caller.request('feed.follow', { count: 1 }),
      error => error instanceof ApiError && /ask for it with the header Tsmicro-Pulls/.test(String(error.cause)),
    )
  })
}
