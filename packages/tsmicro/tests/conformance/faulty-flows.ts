import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers, type Msg } from '@nats-io/nats-core'
import { contract, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { connected } from './network/connected.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

/** Its items have no ids, so that nobody comes back. */
const feed = contract('feed', {
  follow: procedure({ nats: 'follow', access: 'internal', output: stream(Type.Object({ n: Type.Integer() })) }),
})

/** What a client makes of services that break the rules. */
export async function faultyFlows(open: OpenNetwork) {
  const network = await open()
  const caller = await connected(network)
  const raw = await network.raw()
  after(() => raw.close())
  const cancelled = await heardOn(raw, '_TSMICRO.cancel.feed')

  /** Opens a stream, and answers its first pull with these messages. */
  async function answering(
    messages: readonly (readonly [body: string, headers: Record<string, string>])[],
    opening: unknown = { stream: 's', pull: 'feed.follow.stream.i' },
  ) {
    const opened = raw.subscribe('feed.follow', {
      callback: (_error, msg) => void msg.respond(JSON.stringify({ data: opening })),
    })
    let pulls = 0
    const pulled = raw.subscribe('feed.follow.stream.i', {
      callback: (_error, msg) => {
        if (pulls++ === 0) for (const [body, told] of messages) respond(msg, body, told)
      },
    })
    await raw.flush()
    const items: unknown[] = []
    try {
      for await (const item of caller.client(feed).follow({}, { timeoutMs: 1000 })) items.push(item)
      return [items, 'done']
    } catch (error) {
      return [items, (error as { code: string }).code]
    } finally {
      opened.unsubscribe()
      pulled.unsubscribe()
      await raw.flush()
    }
  }

  test('what was lost, came twice or cannot be read is never taken for the whole', async () => {
    const [first, second] = [
      ['[{"n":0}]', { 'Tsmicro-Sequence': '0' }],
      ['[{"n":1}]', { 'Tsmicro-Sequence': '1' }],
    ] as const
    const done = (sequence: number) => ['', { 'Tsmicro-Sequence': String(sequence), 'Tsmicro-End': 'done' }] as const
    assert.deepEqual(await answering([first, second, done(2)]), [[{ n: 0 }, { n: 1 }], 'done'])
    for (const [messages, items, code] of [
      [[first, done(2)], 1, 'SERVICE_UNAVAILABLE'],
      [[first, first, done(1)], 1, 'SERVICE_UNAVAILABLE'],
      [[second, done(2)], 0, 'SERVICE_UNAVAILABLE'],
      [[first, ['[{"n":1}', { 'Tsmicro-Sequence': '1' }]], 1, 'MALFORMED_REPLY'],
      [[first, ['{"n":1}', { 'Tsmicro-Sequence': '1' }]], 1, 'MALFORMED_REPLY'],
      [[first, ['[{"n":"1"}]', { 'Tsmicro-Sequence': '1' }]], 1, 'MALFORMED_REPLY'],
      [[first, ['[{"n":1}]', {}]], 1, 'MALFORMED_REPLY'],
    ] as const) {
      const told = await answering(messages as never)
      assert.deepEqual([(told[0] as unknown[]).length, told[1]], [items, code], JSON.stringify(messages))
    }
    assert.ok(cancelled.length > 0)
  })

  test('an answer that opens nothing is malformed', async () => {
    for (const opening of [
      'an answer of an older version',
      null,
      {},
      { stream: 's', pull: 'feed.other.stream.i' },
      { stream: 's', pull: 'feed.follow.stream.*' },
      { stream: 5, pull: 'feed.follow.stream.i' },
    ])
      assert.deepEqual(await answering([], opening), [[], 'MALFORMED_REPLY'])
  })

  test('a service that is silent, or gone, is unavailable', async () => {
    const opening = { stream: 's', pull: 'feed.follow.stream.nobody' }
    assert.deepEqual(await answering([], opening), [[], 'SERVICE_UNAVAILABLE'])
    assert.deepEqual(await answering([]), [[], 'SERVICE_UNAVAILABLE'])
  })
}

function respond(msg: Msg, body: string, told: Record<string, string>): void {
  const made = headers()
  for (const [name, value] of Object.entries(told)) made.set(name, value)
  msg.respond(body, { headers: made })
}
