import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import type { JetStreamMessage } from '../../src/events/index.ts'
import { roundTrip, until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'
import { openStream, pinned, STREAM, withId } from './network/stream.ts'

/** How a consumer delivers, and what a client says about it. */
export async function pulls(open: OpenNetwork) {
  test('a pull gets what is there and what comes, in order, until it has enough or its time is over', async () => {
    const { js, publish, pull, state } = await openStream(open)
    await publish(2)
    const taken: JetStreamMessage[] = []
    const pulled = pull(message => void taken.push(message), { batch: 4 })
    await until('two are there', () => taken.length === 2)
    await publish(3)
    assert.deepEqual(await pulled, { end: 'done', received: 4, pinId: undefined, text: undefined })
    const of = ({ subject, sequence, deliveries, headers }: JetStreamMessage) => [
      ...[subject, sequence, deliveries],
      headers['nats-msg-id'],
    ]
    assert.deepEqual(
      taken.map(of),
      [1, 2, 3, 4].map(n => ['item.made', n, 1, String(n)]),
    )
    assert.deepEqual(
      taken.slice(0, 2).map(({ pending }) => pending),
      [1, 0],
    )
    const stored = await js.message(STREAM, { seq: 1 })
    assert.equal(Date.parse(taken[0]?.time ?? ''), Date.parse(stored?.time ?? ''))
    assert.deepEqual(await state(), [1, 4])
    for (const message of taken) message.ack()
    await until('they are acknowledged', async () => (await state())[1] === 0)
    const last = await pull(message => message.ack(), { expiresMs: 100 })
    assert.deepEqual([last.end, last.received], ['expired', 1])
    assert.deepEqual(await state(), [0, 0])
  })

  test('handed back, it comes again at once, or after the delay; abandoned, never', async () => {
    const { publish, taken, state } = await openStream(open)
    await publish(3)
    const seen: number[] = []
    const texts = await taken(5, message => {
      seen.push(message.deliveries)
      if (message.deliveries > 1) message.ack()
      else if (message.string() === '1') message.nak()
      else if (message.string() === '2') message.nak(50)
      else message.term()
    })
    assert.deepEqual(texts.slice(0, 3), ['1', '2', '3'])
    assert.deepEqual(texts.slice(3).sort(), ['1', '2'])
    assert.deepEqual(seen, [1, 1, 1, 2, 2])
    await until('nothing is left', async () => (await state()).every(count => count === 0))
  })

  test('what is not acknowledged in time comes again, unless work goes on', async () => {
    const { publish, pull, state } = await openStream(open, { ack_wait: 1e9 })
    await publish(2)
    const taken: string[] = []
    const working: JetStreamMessage[] = []
    const extending = setInterval(() => working[0]?.working(), 50)
    const pulled = pull(
      message => {
        taken.push(`${message.string()} ${message.deliveries}`)
        if (message.string() === '2') working.push(message)
        else if (message.deliveries === 3) message.ack()
      },
      { batch: 4 },
    )
    assert.equal((await pulled).end, 'done')
    clearInterval(extending)
    working[0]?.ack()
    assert.deepEqual(taken, ['1 1', '2 1', '1 2', '1 3'])
    await until('nothing is left', async () => (await state()).every(count => count === 0))
  })

  test('no more are delivered than may be unacknowledged', async () => {
    const { publish, pull, state } = await openStream(open, { max_ack_pending: 2 })
    await publish(5)
    const taken: JetStreamMessage[] = []
    const pulled = pull(message => void taken.push(message), { batch: 5 })
    await until('two are there', () => taken.length === 2)
    assert.deepEqual(await state(), [3, 2])
    for (let n = 0; n < 5; n++) {
      await until('one more is there', () => taken.length > n)
      assert.ok(taken.length <= n + 2)
      taken[n]?.ack()
    }
    assert.equal((await pulled).end, 'done')
  })

  test('pulls that limit bytes end before what does not fit, and say when nothing would', async () => {
    const { js, pull, publish } = await openStream(open)
    for (let n = 0; n < 3; n++) await js.publish('item.made', 'x'.repeat(1000), withId())
    const two = await pull(message => message.ack(), { maxBytes: 2500 })
    assert.deepEqual([two.end, two.received], ['done', 2])
    const none = await pull(message => message.ack(), { maxBytes: 500 })
    assert.deepEqual([none.end, none.received], ['too large', 0])
    await publish(1)
    const rest = await pull(message => message.ack(), { batch: 2 })
    assert.deepEqual([rest.end, rest.received], ['done', 2])
  })

  test('pulls take turns; one that is aborted takes no more', async () => {
    const { publish, pull, state } = await openStream(open)
    const counts = [0, 0]
    const stop = new AbortController()
    const pulls = counts.map((_, index) =>
      pull(
        message => {
          counts[index] = (counts[index] ?? 0) + 1
          message.ack()
        },
        { signal: stop.signal },
      ),
    )
    await until('both wait', async () => {
      await publish(4)
      return counts.every(count => count > 1)
    })
    stop.abort()
    const ends = await Promise.all(pulls)
    assert.deepEqual(
      ends.map(({ end, received }) => [end, received]),
      counts.map(count => ['aborted', count]),
    )
    await publish(1)
    await until('it waits', async () => (await state())[0] === 1)
    assert.deepEqual(await state(), [1, 0])
  })

  test('one client of a group is pinned; another one waits until that one is gone', async () => {
    const { js, publish, pull, state } = await openStream(open, { ...pinned, priority_timeout: 1e9 })
    await publish(1)
    const first = await pull(message => message.ack(), { batch: 1, group: 'one' })
    assert.equal(typeof first.pinId, 'string')
    const others: string[] = []
    const other = pull(
      message => {
        others.push(message.string())
        message.ack()
      },
      { batch: 1, group: 'one' },
    )
    const { pinId } = first
    await publish(1)
    const second = await pull(message => message.ack(), { batch: 1, group: 'one', pinId })
    assert.deepEqual([second.end, second.received, second.pinId, others], ['done', 1, pinId, []])
    await publish(1)
    const third = await other
    assert.deepEqual([third.end, others], ['done', ['3']])
    assert.notEqual(third.pinId, pinId)
    const late = await pull(message => message.ack(), { batch: 1, group: 'one', pinId })
    assert.deepEqual([late.end, late.pinId], ['wrong pin', undefined])
    assert.equal((await pull(() => {})).end, 'refused')
    // Who stops lets go at once.
    const next = pull(message => message.ack(), { batch: 1, group: 'one' })
    await publish(1)
    await js.unpin(STREAM, 'stock_items', 'one')
    assert.equal((await next).end, 'done')
    await until('nothing is left', async () => (await state()).every(count => count === 0))
  })

  test('everything is still there after the connection was lost; who had pulled asks again', async () => {
    const { network, nats, js, publish, pull, state } = await openStream(open, { ack_wait: 2e9 })
    await publish(3)
    const held: JetStreamMessage[] = []
    const pulled = pull(message => void held.push(message))
    await until('all are there', () => held.length === 3)
    held[0]?.ack()
    await until('one is acknowledged', async () => (await state())[1] === 2)
    const info = await js.consumer(STREAM, 'stock_items')
    await network.fail()
    assert.equal((await pulled).end, 'lost')
    assert.equal((await pull(() => {})).end, 'lost')
    await assert.rejects(publish(1), SERVICE_UNAVAILABLE)
    await network.recover()
    await until('it is back', () => nats.connected)
    await roundTrip(nats)
    assert.equal((await js.consumer(STREAM, 'stock_items'))?.created, info?.created)
    // A server that was killed may have forgotten an acknowledgement.
    const seen = new Set<string>()
    const rest = pull(message => {
      seen.add(message.string())
      message.ack()
    })
    await until('they come again', async () => seen.has('2') && seen.has('3') && (await state())[1] === 0)
    await js.deleteConsumer(STREAM, 'stock_items')
    assert.equal((await rest).end, 'consumer gone')
    assert.deepEqual(await js.publish('item.made', '3', withId('3')), { stream: STREAM, sequence: 3, duplicate: true })
  })
}
