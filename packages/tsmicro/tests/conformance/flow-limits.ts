import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { implement, SERVICE_UNAVAILABLE, StartError } from 'tsmicro'
import { contract, natsPermissionsOf, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { build, serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

const Item = Type.Object({ n: Type.Integer() })
const feed = contract('feed', {
  follow: procedure({ nats: 'follow', access: 'internal', output: stream(Item, { id: 'n' }) }),
  watch: procedure({ nats: 'watch', access: 'internal', output: stream(Item) }),
})
const front = contract('front', {
  ask: procedure({ http: 'GET /ask', access: 'open', output: Type.Array(Type.Integer()) }),
})

const users = [
  natsPermissionsOf({ service: 'feed', serves: [feed] }),
  natsPermissionsOf({ service: 'front', serves: [front], calls: [feed] }),
]
/** Its permissions are those of a version without streams. */
const whole = natsPermissionsOf({ service: 'old', serves: [], calls: [feed] })
const old = { ...whole, publish: whole.publish.filter(subject => !subject.includes('.stream.')) }

/** Streams need no permission beyond calls, and end with the connection. */
export async function flowLimits(open: OpenNetwork) {
  const handlers = (seen: { begun: number; ended: number }) =>
    implement(feed, {
      follow: async function* ({ lastEventId }) {
        seen.begun += 1
        try {
          for (let n = lastEventId === undefined ? 0 : Number(lastEventId) + 1; n < 3000; n++) yield { n }
        } finally {
          seen.ended += 1
        }
      },
      watch: async function* ({ signal }) {
        seen.begun += 1
        yield { n: 0 }
        await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
        seen.ended += 1
      },
    })

  test('thousands of messages go to a caller with the permissions of calls', async () => {
    const network = await open([...users, old])
    const seen = { begun: 0, ended: 0 }
    const { service, log } = await serve({ name: 'feed', network, handlers: [handlers(seen)] })
    const f = await serve({ name: 'front', network, calls: [feed], handlers: [implement(front, { ask: () => [] })] })
    const received = (await Array.fromAsync(f.nats.client(feed).follow())).map(({ n }) => n)
    assert.deepEqual(
      received,
      Array.from({ length: 3000 }, (_, n) => n),
    )
    for await (const _ of f.nats.client(feed).watch()) break
    await until('its handler has ended', () => seen.begun === seen.ended)
    assert.deepEqual([...log.at('error'), ...f.log.at('error')], [])

    const { service: refused } = build({ name: 'old', network, calls: [feed], startTimeoutMs: 600_000 })
    await assert.rejects(refused.start(), (error: Error) => {
      assert.ok(error instanceof StartError)
      assert.match(error.message, /publish "feed\.follow\.stream\.\*" .listed in `calls`/)
      return true
    })
    const caller = network.client('old')
    await caller.connect()
    const items = caller.client(feed).watch({}, { timeoutMs: 1000 })
    await assert.rejects(Array.fromAsync(items), { code: 'NOT_PERMITTED' })
    await caller.close()
    await Promise.all([f.service.stop(), service.stop()])
  })

  test('a stop waits neither for a caller that never pulls nor for one that cannot be answered', async () => {
    const network = await open()
    const returned: Readable[] = []
    const make = () => {
      const items = Readable.from([{ n: 0 }])
      returned.push(items)
      return items
    }
    const { service, log } = await serve({
      name: 'feed',
      network,
      drainTimeoutMs: 10_000,
      handlers: [implement(feed, { follow: make, watch: make })],
    })
    const raw = await network.raw()
    const opens = headers()
    opens.set('Tsmicro-Pulls', '1')
    const inbox = await heardOn(raw, '_INBOX.silent.*')
    raw.publish('feed.watch', '', { headers: opens })
    raw.publish('feed.watch', '', { reply: '_INBOX.silent.0', headers: opens })
    await until('one is open', () => inbox.length === 1)
    assert.equal(returned.length, 1)
    await service.stop()
    assert.deepEqual(
      log.lines.filter(({ message }) => message.startsWith('gave up')),
      [],
    )
    assert.ok(returned[0]?.destroyed, 'what was never read is closed')
    await raw.close()
  })

  test('a lost connection ends a stream at both ends; one with ids goes on when it is back', async () => {
    const network = await open()
    const seen = { begun: 0, ended: 0 }
    const { service, nats } = await serve({ name: 'feed', network, handlers: [handlers(seen)] })
    const caller = await connected(network)
    const watching = caller.client(feed).watch()[Symbol.asyncIterator]()
    await watching.next()
    const following = caller.client(feed).follow()[Symbol.asyncIterator]()
    const received = [(await following.next()).value?.n]
    const lost = assert.rejects(Promise.resolve(watching.next()), SERVICE_UNAVAILABLE)
    await network.fail()
    await lost
    await until('both have noticed', () => !caller.connected && !nats.connected)
    await until('both handlers have ended', () => seen.ended === 2)
    await network.recover()
    for (let next = await following.next(); !next.done; next = await following.next()) received.push(next.value.n)
    assert.deepEqual(
      received,
      Array.from({ length: 3000 }, (_, n) => n),
    )
    await service.stop()
  })
}
