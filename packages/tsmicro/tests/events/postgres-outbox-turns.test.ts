import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { createPostgres } from 'tsmicro/postgres'
import type { StoredEvent } from '../../src/stores/index.ts'
import { storedEvent, TestStream } from './outbox-suite.ts'

// Which rows a turn reads.

const server = await startPostgres({ ephemeral: true })
const postgres = createPostgres({ url: server.url })
await postgres.connect()
after(async () => {
  await postgres.close()
  await server.stop()
})
const store = postgres.outboxStore()
await store.prepare()
const commit = (events: readonly StoredEvent[]) =>
  postgres.transaction(async tx => {
    for (const event of events) await store.add(tx, event, { restart: false })
  })
const outbox = { store, commit, abandon: commit }

test('many and large events are read a part at a time', async () => {
  const id = randomUUID()
  const large = JSON.stringify('x'.repeat(900_000))
  for (let n = 0; n < 12; n++) await outbox.commit([storedEvent(id, { data: large })])
  const stream = new TestStream()
  let most = 0
  const measure = (events: Parameters<typeof stream.send>[0]) => {
    most = Math.max(most, events.length)
    return stream.send(events)
  }
  assert.equal(await outbox.store.relay(measure, 1000), 12)
  assert.ok(most > 1 && most < 8, `${most} at a time`)
  await outbox.commit(Array.from({ length: 1300 }, () => storedEvent(id)))
  assert.equal(await outbox.store.relay(stream.send, 700), 700)
  assert.equal(await outbox.store.relay(stream.send, 700), 600)
  assert.deepEqual(
    stream.numbers(id),
    Array.from({ length: 1312 }, (_, n) => n + 1),
  )
})

test('after a restore, new transactions with lower ids than before are found', async t => {
  const [id, another] = [randomUUID(), randomUUID()]
  const stream = new TestStream()
  await stream.drain(outbox)
  const restored = () => sql`UPDATE tsmicro_outbox SET xid = '3' WHERE sent_at IS NULL`.execute(postgres.db)
  await commit([storedEvent(id)])
  await restored()
  // As when a connection cannot be had while the database is away.
  const away = t.mock.method(postgres.db, 'transaction', () => {
    throw new SERVICE_UNAVAILABLE()
  })
  await assert.rejects(store.relay(stream.send, 10), SERVICE_UNAVAILABLE)
  away.mock.restore()
  assert.equal(await store.relay(stream.send, 10), 1)
  // Without a failure it may take half a minute.
  await commit([storedEvent(another)])
  await restored()
  const { now } = performance
  t.mock.method(performance, 'now', () => now.call(performance) + 31_000)
  assert.equal(await store.relay(stream.send, 10), 1)
  assert.deepEqual([stream.numbers(id), stream.numbers(another)], [[1], [1]])
})

test('many events of an aggregate that are not accepted hold up no other one', async () => {
  const [bad, good] = [randomUUID(), randomUUID()]
  await commit(Array.from({ length: 1600 }, () => storedEvent(bad)))
  await commit([storedEvent(good)])
  const stream = new TestStream()
  stream.accepts = ({ aggregateId }) => aggregateId !== bad
  assert.equal(await store.relay(stream.send, 1500), 1)
  assert.deepEqual([stream.numbers(good), stream.numbers(bad)], [[1], []])
  stream.accepts = () => true
  await stream.drain(outbox)
  assert.equal(stream.numbers(bad).length, 1600)
})
