import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { JetStream, NOT_PERMITTED } from 'tsmicro/internal'
import type { ConsumerConfig, JetStreamMessage, PullOptions } from '../../src/events/index.ts'
import { JetStreamError } from '../../src/events/index.ts'
import { roundTrip, until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const STREAM = 'EVENTS_item'
const stream = { name: STREAM, subjects: ['item.made', 'item.moved'], storage: 'file' } as const
const consumer: ConsumerConfig = {
  durable_name: 'stock_items',
  ack_policy: 'explicit',
  filter_subject: 'item.>',
  deliver_policy: 'all',
  ack_wait: 60e9,
  max_deliver: -1,
}
const pinned = { priority_groups: ['one'], priority_policy: 'pinned_client', priority_timeout: 60e9 } as const

function withId(id?: string) {
  const made = headers()
  if (id) made.set('Nats-Msg-Id', id)
  return made
}

/** JetStream as our client sees it. */
export async function jetStream(open: OpenNetwork) {
  async function openStream(config: Partial<ConsumerConfig> = {}) {
    const network = await open()
    const nats = await connected(network)
    const js = new JetStream(nats)
    await js.createStream(stream)
    await js.createConsumer(STREAM, { ...consumer, ...config })
    let published = 0
    return {
      network,
      nats,
      js,
      async publish(count: number) {
        for (let n = 0; n < count; n++) await js.publish('item.made', String(++published), withId(String(published)))
      },
      pull(take: (message: JetStreamMessage) => void, options: Partial<PullOptions> = {}) {
        return js.pull(STREAM, 'stock_items', { batch: 100, expiresMs: 60_000, take, ...options })
      },
      /** The texts of what is delivered at once. */
      async taken(count: number, take: (message: JetStreamMessage) => void = message => message.ack()) {
        const texts: string[] = []
        const both = (message: JetStreamMessage) => {
          texts.push(message.string())
          take(message)
        }
        const { end } = await js.pull(STREAM, 'stock_items', { batch: count, expiresMs: 60_000, take: both })
        assert.equal(end, 'done')
        return texts
      },
      async state() {
        const info = await js.consumer(STREAM, 'stock_items')
        return [info?.num_pending, info?.num_ack_pending]
      },
    }
  }

  test('streams: created once, changed, never with the name or the subjects of another one', async () => {
    const { js } = await openStream()
    const { created } = await js.createStream(stream)
    const refused = (errCode: number) => (err: unknown) => err instanceof JetStreamError && err.errCode === errCode
    await assert.rejects(js.createStream({ ...stream, subjects: ['item.made'] }), refused(10058))
    await assert.rejects(js.createStream({ name: 'OTHER', subjects: ['item.>'] }), refused(10065))
    await assert.rejects(js.updateStream({ name: 'OTHER', subjects: ['other'] }), refused(10059))
    const updated = await js.updateStream({ ...stream, subjects: ['item.>'], metadata: { a: 'b' } })
    const info = await js.stream(STREAM)
    assert.deepEqual([updated.created, info?.created], [created, created])
    assert.deepEqual([info?.config.subjects, info?.config.metadata?.a], [['item.>'], 'b'])
    assert.deepEqual([info?.config.retention, info?.config.discard, info?.config.max_age], ['limits', 'old', 0])
    assert.deepEqual([info?.state.messages, info?.state.last_seq, info?.state.consumer_count], [0, 0, 1])
    assert.equal(await js.stream('OTHER'), undefined)
  })

  test('what is published has a number, and the same one when it comes again; it is refused where no stream takes it', async () => {
    const { js, nats } = await openStream()
    const ack = (sequence: number, duplicate = false) => ({ stream: STREAM, sequence, duplicate })
    assert.deepEqual(await js.publish('item.made', 'a', withId('1')), ack(1))
    assert.deepEqual(await js.publish('item.moved', 'b', withId('2')), ack(2))
    assert.deepEqual(await js.publish('item.made', 'a', withId('1')), ack(1, true))
    assert.deepEqual(await js.publish('item.made', 'a', withId()), ack(3))
    await assert.rejects(js.publish('item.lost', 'a', withId()), SERVICE_UNAVAILABLE)
    // Nobody has to ask for an answer.
    nats.use().publish('item.made', 'c')
    await until('it is stored', async () => (await js.stream(STREAM))?.state.last_seq === 4)
  })

  test('messages are found by number and subject, and can be deleted', async () => {
    const { js, state } = await openStream()
    const made = headers()
    made.set('ce-id', 'x')
    await js.publish('item.made', 'a', made)
    await js.publish('item.moved', 'b', headers())
    await js.publish('item.made', 'c', headers())
    const found = async (query: Parameters<JetStream['message']>[1]) => {
      const message = await js.message(STREAM, query)
      return message && `${message.sequence} ${message.subject} ${Buffer.from(message.data)}`
    }
    assert.equal((await js.message(STREAM, { seq: 1 }))?.headers['ce-id'], 'x')
    assert.equal(await found({ seq: 2 }), '2 item.moved b')
    assert.equal(await found({ seq: 2, next_by_subj: 'item.made' }), '3 item.made c')
    assert.equal(await found({ seq: 1, next_by_subj: '*.made' }), '1 item.made a')
    assert.equal(await found({ last_by_subj: 'item.made' }), '3 item.made c')
    assert.equal(await found({ last_by_subj: 'item.lost' }), undefined)
    assert.equal(await found({ seq: 4 }), undefined)
    for (const sequence of [2, 3, 1])
      assert.deepEqual(
        [await js.deleteMessage(STREAM, sequence), await js.deleteMessage(STREAM, sequence)],
        [true, false],
      )
    assert.equal(await js.deleteMessage(STREAM, 4), false)
    assert.equal(await found({ seq: 2 }), undefined)
    assert.deepEqual(await state(), [0, 0])
  })

  test('consumers: created once, changed but for where they begin, deleted', async () => {
    const { js, publish, pull } = await openStream()
    await publish(3)
    const before = await js.consumer(STREAM, 'stock_items')
    assert.deepEqual([before?.name, before?.num_pending, before?.config.filter_subject], ['stock_items', 3, 'item.>'])
    const changed = await js.createConsumer(STREAM, { ...consumer, max_ack_pending: 7 })
    assert.deepEqual([changed.created, changed.config.max_ack_pending], [before?.created, 7])
    const other = { ...consumer, deliver_policy: 'by_start_time', opt_start_time: new Date().toISOString() } as const
    await assert.rejects(js.createConsumer(STREAM, other), ({ cause }) => cause?.errCode === 10012)
    await assert.rejects(js.createConsumer('NONE', consumer), (err: JetStreamError) => err.code === 404)
    assert.deepEqual(
      [await js.deleteConsumer(STREAM, 'stock_items'), await js.deleteConsumer(STREAM, 'stock_items')],
      [true, false],
    )
    assert.equal((await pull(() => {})).end, 'consumer gone')
    const anew = await js.createConsumer(STREAM, {
      ...other,
      opt_start_time: new Date(Date.now() - 60_000).toISOString(),
    })
    assert.notEqual(anew.created, before?.created)
    assert.equal(anew.num_pending, 3)
    await js.deleteConsumer(STREAM, 'stock_items')
    const later = await js.createConsumer(STREAM, {
      ...other,
      opt_start_time: new Date(Date.now() + 60_000).toISOString(),
    })
    assert.equal(later.num_pending, 0)
  })

  test('a pull gets what is there and what comes, in order, until it has enough or its time is over', async () => {
    const { js, publish, pull, state } = await openStream()
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
    const { publish, taken, state } = await openStream()
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
    const { publish, pull, state } = await openStream({ ack_wait: 1e9 })
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
    const { publish, pull, state } = await openStream({ max_ack_pending: 2 })
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
    const { js, pull, publish } = await openStream()
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
    const { publish, pull, state } = await openStream()
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
    assert.deepEqual(await state(), [1, 0])
  })

  test('one client of a group is pinned; another one waits until that one is gone', async () => {
    const { publish, pull, state } = await openStream({ ...pinned, priority_timeout: 1e9 })
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
    await until('nothing is left', async () => (await state()).every(count => count === 0))
  })

  test('everything is still there after the connection was lost; who had pulled asks again', async () => {
    const { network, nats, js, publish, pull, state } = await openStream({ ack_wait: 2e9 })
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
    const again = new Set<string>()
    const rest = pull(message => {
      again.add(message.string())
      message.ack()
    })
    await until('they come again', async () => again.has('2') && again.has('3') && (await state())[1] === 0)
    await js.deleteConsumer(STREAM, 'stock_items')
    assert.equal((await rest).end, 'consumer gone')
    assert.deepEqual(await js.publish('item.made', '3', withId('3')), { stream: STREAM, sequence: 3, duplicate: true })
  })

  test('only what a user may publish is done', async () => {
    const inboxes = (user: string) => [`_INBOX_${user}.>`]
    const network = await open([
      { user: 'tests', publish: ['>'], subscribe: ['>'] },
      {
        user: 'poor',
        publish: ['$JS.API.STREAM.INFO.EVENTS_item', '$JS.API.CONSUMER.MSG.NEXT.EVENTS_item.own'],
        subscribe: inboxes('poor'),
      },
    ])
    const nats = await connected(network)
    const own = new JetStream(nats)
    await own.createStream(stream)
    await own.createConsumer(STREAM, { ...consumer, durable_name: 'own' })
    await own.publish('item.made', '1', withId())
    const client = network.client('poor')
    await client.connect()
    after(() => client.close())
    const js = new JetStream(client)
    assert.equal((await js.stream(STREAM))?.config.name, STREAM)
    const forbidden = [
      () => js.createStream({ name: 'MINE', subjects: ['mine'] }),
      () => js.updateStream(stream),
      () => js.message(STREAM, { seq: 1 }),
      () => js.deleteMessage(STREAM, 1),
      () => js.createConsumer(STREAM, consumer),
      () => js.deleteConsumer(STREAM, 'own'),
      () => js.publish('item.made', 'x', withId()),
      () => js.pull(STREAM, 'other', { batch: 1, expiresMs: 10_000, take: () => {} }),
    ]
    for (const attempt of forbidden) await assert.rejects(attempt(), NOT_PERMITTED)
    assert.equal((await own.stream(STREAM))?.state.messages, 1)
  })
}
