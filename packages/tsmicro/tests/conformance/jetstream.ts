import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { JetStream, NOT_PERMITTED } from 'tsmicro/internal'
import { JetStreamError } from '../../src/events/index.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'
import { consumer, openStream, STREAM, stream, withId } from './network/stream.ts'

/** JetStream's streams and consumers as our client sees them. */
export async function jetStream(open: OpenNetwork) {
  test('streams: created once, changed, never with the name or the subjects of another one', async () => {
    const { js } = await openStream(open)
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
    const { js, nats } = await openStream(open)
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
    const { js, state } = await openStream(open)
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
    const { js, publish, pull } = await openStream(open)
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
    const again = await js.createConsumer(STREAM, {
      ...other,
      opt_start_time: new Date(Date.now() - 60_000).toISOString(),
    })
    assert.notEqual(again.created, before?.created)
    assert.equal(again.num_pending, 3)
    await js.deleteConsumer(STREAM, 'stock_items')
    const later = await js.createConsumer(STREAM, {
      ...other,
      opt_start_time: new Date(Date.now() + 60_000).toISOString(),
    })
    assert.equal(later.num_pending, 0)
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
