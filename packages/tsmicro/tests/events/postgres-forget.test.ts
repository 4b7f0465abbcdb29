import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import type { NumberedEvent } from '../../src/stores/index.ts'
import { until } from '../support/until.ts'
import { storedEvent, TestStream } from './outbox-suite.ts'
import { openOutbox } from './postgres-setting.ts'

const server = await startPostgres({ ephemeral: true })
after(() => server.stop())
const open = () => openOutbox({ url: server.url })
type Opened = Awaited<ReturnType<typeof open>>

const rowsOf = async ({ postgres }: Opened, id: string) =>
  (await sql`SELECT 1 FROM tsmicro_outbox_aggregates WHERE aggregate_id = ${id}`.execute(postgres.db)).rows.length

/** As if all that was sent were older than what the stream keeps. */
async function age({ postgres, store }: Opened): Promise<void> {
  await sql`UPDATE tsmicro_outbox SET sent_at = sent_at - interval '1 day' WHERE sent_at IS NOT NULL`.execute(
    postgres.db,
  )
  await store.clean(3_600_000)
}

async function forget(outbox: Opened): Promise<number | undefined> {
  await age(outbox)
  return outbox.store.forget()
}

/** Numbers, and the lowest that can still be expected. */
const placesIn = (accepted: readonly NumberedEvent[], id: string) =>
  accepted.flatMap(({ aggregateId, sequence, first }) => (aggregateId === id ? [[sequence, first]] : []))

test('an aggregate without kept events is forgotten; whoever comes, or comes back, begins higher, and says so', async () => {
  const outbox = await open()
  const [ended, other, fresh] = [randomUUID(), randomUUID(), randomUUID()]
  const stream = new TestStream()
  for (const id of [ended, ended, ended, other]) await outbox.commit([storedEvent(id)])
  await stream.drain(outbox)
  await outbox.store.clean(3_600_000)
  await outbox.store.forget()
  assert.equal(await rowsOf(outbox, ended), 1, 'its events are kept')
  await outbox.commit([storedEvent(other)])
  await forget(outbox)
  assert.deepEqual([await rowsOf(outbox, ended), await rowsOf(outbox, other)], [0, 1])
  // It has not come back in time, so its event does not say that no lower number can be expected.
  assert.equal(await outbox.store.forget(), undefined)
  for (const id of [ended, fresh, other, ended]) await outbox.commit([storedEvent(id)])
  await stream.drain(outbox)
  const [floor] = placesIn(stream.accepted, fresh)[0] ?? []
  assert.ok(floor !== undefined && floor > 3)
  assert.deepEqual(placesIn(stream.accepted, ended).slice(3), [
    [floor, floor],
    [floor + 1, floor],
  ])
  assert.deepEqual(placesIn(stream.accepted, other), [
    [1, 1],
    [2, 1],
    [3, 1],
  ])
  await outbox.commit([storedEvent(other)], { restart: true })
  await stream.drain(outbox)
  const [number = 0, first] = placesIn(stream.accepted, other).at(-1) ?? []
  assert.ok(number > 3 && number === first)
})

test('an aggregate stays while an event of it waits, or is being added; erasing one that is forgotten changes nothing', async () => {
  const outbox = await open()
  const { store, postgres } = outbox
  const [waiting, adding] = [randomUUID(), randomUUID()]
  const stream = new TestStream()
  await outbox.commit([storedEvent(adding)])
  await stream.drain(outbox)
  await outbox.commit([storedEvent(waiting)])
  const [added, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const long = postgres.transaction(async tx => {
    await store.add(tx, storedEvent(adding), { restart: false })
    added.resolve()
    await end.promise
  })
  await added.promise
  await forget(outbox)
  assert.deepEqual([await rowsOf(outbox, waiting), await rowsOf(outbox, adding)], [1, 1])
  assert.equal(await store.forget(), undefined, 'one has stayed')
  end.resolve()
  await long
  await stream.drain(outbox)
  const places = placesIn(stream.accepted, adding)
  assert.equal(places.length, 2)
  assert.equal(places[1]?.[0], (places[0]?.[0] ?? 0) + 1)
  const now = Date.now()
  const told = (await forget(outbox)) ?? 0
  assert.ok(told > now - 60_000 && told < now + 60_000, 'all that were sent before are forgotten')
  assert.equal(await rowsOf(outbox, adding), 0)
  assert.deepEqual(await store.erase('thing', adding), [])
  await outbox.commit([storedEvent(adding)])
  await stream.drain(outbox)
  const [last = [], before = []] = placesIn(stream.accepted, adding).reverse()
  assert.ok(Number(last[0]) > Number(before[0]) && last[0] === last[1])
})

for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
  const openSent = async () => {
    const outbox = await open()
    const id = randomUUID()
    const stream = new TestStream()
    for (let n = 0; n < 5; n++) await outbox.commit([storedEvent(id)])
    await stream.drain(outbox)
    await age(outbox)
    const [last = 0] = placesIn(stream.accepted, id).at(-1) ?? []
    const assertHigher = async () => {
      await stream.drain(outbox)
      const [number = 0, first] = placesIn(stream.accepted, id).at(-1) ?? []
      assert.ok(number > last && number === first, `${number} after ${last}`)
      assert.equal(placesIn(stream.accepted, id).length, 6)
    }
    return { outbox, id, last, assertHigher }
  }

  test(`${isolation}: one that comes back while its row is being removed has a number that was never given`, async () => {
    const { outbox, id, last, assertHigher } = await openSent()
    const { store, postgres } = outbox
    const [removed, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // As if it had computed the floor right before that is raised.
    const removing = postgres.db.transaction().execute(async tx => {
      await sql`DELETE FROM tsmicro_outbox_aggregates WHERE aggregate_id = ${id}`.execute(tx)
      removed.resolve()
      await end.promise
      await sql`SELECT setval('tsmicro_outbox_floor', greatest(last_value, ${last}::bigint)) FROM tsmicro_outbox_floor`.execute(
        tx,
      )
    })
    await removed.promise
    const add = postgres.transaction(tx => store.add(tx, storedEvent(id), { restart: false }), {
      isolation,
      retries: 10,
    })
    await until('it waits', async () => {
      const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`.execute(postgres.db)
      return rows.length > 0
    })
    end.resolve()
    await Promise.all([removing, add])
    await assertHigher()
  })

  test(`${isolation}: so has one whose transaction began before`, async () => {
    const { outbox, id, assertHigher } = await openSent()
    const { store, postgres } = outbox
    const change = async (tx: Parameters<typeof store.add>[0]) => {
      await sql`SELECT 1 FROM tsmicro_outbox_aggregates`.execute(tx)
      await store.forget()
      await store.add(tx, storedEvent(id), { restart: false })
    }
    await postgres.transaction(change, { isolation, retries: 10 })
    await assertHigher()
  })
}

test('changes, relays and clean-ups of several processes: no number is given twice, and none is missing without a word', async () => {
  const settings = await Promise.all([open(), open(), open()])
  const ids = Array.from({ length: 40 }, () => randomUUID())
  const count = process.env.CI ? 3000 : 300
  const stream = new TestStream()
  let done = false
  const cleaning = settings.map(async setting => {
    while (!done) {
      await setting.store.relay(stream.send, 100)
      await setting.store.clean(0)
      await setting.store.forget()
    }
  })
  const changing = settings.map(async ({ commit }) => {
    for (let n = 0; n < count; n++) await commit([storedEvent(ids[Math.floor(Math.random() * ids.length)] ?? '')])
  })
  await Promise.all(changing).finally(async () => {
    done = true
    await Promise.all(cleaning)
  })
  await stream.drain(settings[0] as Opened)
  let [total, restarts] = [0, 0]
  for (const id of ids) {
    const places = placesIn(stream.accepted, id)
    total += places.length
    for (const [index, [number = 0, first = 0]] of places.entries()) {
      const [before = 0] = places[index - 1] ?? []
      assert.ok(number === before + 1 || (number > before && number === first), `${number} (${first}) after ${before}`)
      if (index > 0 && number === first) restarts += 1
    }
  }
  assert.equal(total, 3 * count)
  assert.ok(restarts > 0, 'nothing was forgotten')
})

test('a table from before there was a floor gets one', async () => {
  const { postgres, store, commit } = await open()
  await sql`DROP SEQUENCE tsmicro_outbox_floor`.execute(postgres.db)
  await store.prepare()
  await commit([storedEvent(randomUUID())])
})
