import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql, type Transaction } from 'kysely'
import { createPostgres } from 'tsmicro/postgres'
import { AlreadyHandledError, type Attempt } from '../../src/stores/index.ts'
import { until } from '../support/until.ts'

const server = await startPostgres({ ephemeral: true })
after(() => server.stop())

async function open() {
  const postgres = createPostgres({ url: server.url })
  await postgres.connect()
  after(() => postgres.close())
  const store = postgres.inboxStore()
  await store.prepare()
  return { postgres, store }
}

const { postgres, store } = await open()
await sql`CREATE TABLE effects (id text NOT NULL)`.execute(postgres.db)

const attempt = (from: number, to: number, aggregateId: string): Attempt => ({
  consumer: 'shop.stock',
  type: 'order',
  aggregateId,
  from,
  to,
})
const last = async (aggregateId: string) => (await store.read([attempt(0, 0, aggregateId)]))[0]
const effects = async (id: string) =>
  (await sql`SELECT 1 FROM effects WHERE id = ${id}`.execute(postgres.db)).rows.length
const effect = (tx: Transaction<unknown>, id: string) => sql`INSERT INTO effects VALUES (${id})`.execute(tx)

/** Both ways to run a transaction: ours, and Kysely's own, whose end nobody tells us. */
const transactions = {
  'postgres.transaction': (run: (tx: Transaction<unknown>) => Promise<unknown>) => postgres.transaction(run),
  "Kysely's transaction": (run: (tx: Transaction<unknown>) => Promise<unknown>) =>
    postgres.db.transaction().execute(run),
}

test('numbers are read in the order of their keys, and advance one step at a time', async () => {
  const [a, b] = [randomUUID(), randomUUID()]
  assert.equal(await store.advance(attempt(0, 1, a)), true)
  assert.equal(await store.advance(attempt(0, 1, a)), false)
  assert.equal(await store.advance(attempt(1, 3, a)), true)
  assert.equal(await store.advance(attempt(1, 2, a)), false)
  assert.equal(await store.advance(attempt(3, 2, a)), false)
  // It was reset since it was read.
  assert.equal(await store.advance(attempt(4, 5, b)), false)
  const other = { ...attempt(0, 7, a), consumer: 'shop.other' }
  await store.advance(other)
  const keys = [attempt(0, 0, b), attempt(0, 0, a), other, { ...other, type: 'parcel' }]
  assert.deepEqual(await store.read(keys), [0, 3, 7, 0])
  await store.reset('shop.other')
  assert.deepEqual(await store.read(keys), [0, 3, 0, 0])
  assert.deepEqual(await store.read([]), [])
})

for (const [name, transaction] of Object.entries(transactions)) {
  test(`${name}: effect and number are recorded together, or neither`, async () => {
    const id = randomUUID()
    const [first, second, failing] = [{}, {}, {}]
    store.begin(first, attempt(0, 1, id))
    await transaction(async tx => {
      await effect(tx, id)
      await store.record(tx, first)
    })
    assert.deepEqual([await store.end(first, true), await last(id), await effects(id)], [true, 1, 1])

    store.begin(failing, attempt(1, 2, id))
    const failed = transaction(async tx => {
      await effect(tx, id)
      await store.record(tx, failing)
      throw new RangeError('broken')
    })
    await assert.rejects(failed, RangeError)
    assert.deepEqual([await store.end(failing, false), await last(id), await effects(id)], [false, 1, 1])

    store.begin(second, attempt(1, 2, id))
    await transaction(tx => store.record(tx, second))
    // A handler may fail after it has recorded.
    assert.deepEqual([await store.end(second, false), await last(id)], [true, 2])
    const unrecorded = {}
    store.begin(unrecorded, attempt(2, 3, id))
    assert.deepEqual([await store.end(unrecorded, true), await last(id)], [false, 2])
  })

  test(`${name}: of two replicas with the same event, one has the effect`, async () => {
    const other = await open()
    for (const from of [0, 1]) {
      const id = randomUUID()
      if (from > 0) await store.advance(attempt(0, from, id))
      const [mine, theirs] = [{}, {}]
      store.begin(mine, attempt(from, from + 1, id))
      other.store.begin(theirs, attempt(from, from + 1, id))
      const gate = Promise.withResolvers<void>()
      const recorded = Promise.withResolvers<void>()
      const winning = transaction(async tx => {
        await effect(tx, id)
        await store.record(tx, mine)
        recorded.resolve()
        await gate.promise
      })
      await recorded.promise
      const losing = other.postgres.transaction(async tx => {
        await effect(tx, id)
        await other.store.record(tx, theirs)
      })
      losing.catch(() => {})
      await until('it waits', async () => {
        const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`.execute(postgres.db)
        return rows.length > 0
      })
      gate.resolve()
      await winning
      await assert.rejects(losing, AlreadyHandledError)
      assert.deepEqual([await store.end(mine, true), await other.store.end(theirs, false)], [true, true])
      assert.deepEqual([await last(id), await effects(id)], [from + 1, 1])
    }
  })

  test(`${name}: an attempt that was ended cannot record, and its end waits for an open transaction`, async () => {
    for (const from of [0, 1]) {
      for (const commits of [true, false]) {
        const id = randomUUID()
        if (from > 0) await store.advance(attempt(0, from, id))
        const event = {}
        store.begin(event, attempt(from, from + 1, id))
        const gate = Promise.withResolvers<void>()
        const recorded = Promise.withResolvers<void>()
        const running = transaction(async tx => {
          await effect(tx, id)
          await store.record(tx, event)
          recorded.resolve()
          await gate.promise
          if (!commits) throw new RangeError('broken')
        })
        running.catch(() => {})
        await recorded.promise
        let decided = false
        const ended = store.end(event, false).finally(() => {
          decided = true
        })
        await store.advance(attempt(0, 1, randomUUID()))
        assert.equal(decided, false)
        gate.resolve()
        assert.equal(await ended, commits)
        await Promise.allSettled([running])
        assert.deepEqual([await last(id), await effects(id)], commits ? [from + 1, 1] : [from, 0])
      }
    }
    const id = randomUUID()
    const late = {}
    store.begin(late, attempt(0, 1, id))
    const gate = Promise.withResolvers<void>()
    const running = transaction(async tx => {
      await effect(tx, id)
      await gate.promise
      await store.record(tx, late)
    })
    running.catch(() => {})
    assert.equal(await store.end(late, false), false)
    gate.resolve()
    await assert.rejects(running, AlreadyHandledError)
    assert.deepEqual([await last(id), await effects(id)], [0, 0])
  })

  test(`${name}: an event without a number is recorded and moves nothing`, async () => {
    const id = randomUUID()
    await store.advance(attempt(0, 4, id))
    const event = {}
    store.begin(event, attempt(4, 4, id))
    await transaction(tx => store.record(tx, event))
    assert.deepEqual([await store.end(event, true), await last(id)], [true, 4])
  })
}

test('a transaction that is run again records again', async () => {
  const id = randomUUID()
  const event = {}
  store.begin(event, attempt(0, 1, id))
  let runs = 0
  const change = async (tx: Transaction<unknown>) => {
    await effect(tx, id)
    await store.record(tx, event)
    if (++runs < 3) await sql`DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`.execute(tx)
  }
  await postgres.transaction(change, { retries: 5 })
  assert.deepEqual([runs, await store.end(event, true), await last(id), await effects(id)], [3, true, 1, 1])
})

test('what is recorded is the event of the handler, in a transaction', async () => {
  const event = {}
  await assert.rejects(
    postgres.transaction(tx => store.record(tx, event)),
    /not the event that the handler was called with/,
  )
  store.begin(event, attempt(0, 1, randomUUID()))
  await assert.rejects(store.record(postgres.db as Transaction<unknown>, event), /in the transaction/)
})

test('resetting a consumer forgets all of its rows', async () => {
  await sql`
    INSERT INTO tsmicro_inbox SELECT 'shop.large', 'order', 'o' || n, n FROM generate_series(1, 12000) n`.execute(
    postgres.db,
  )
  await store.reset('shop.large')
  const { rows } = await sql`SELECT 1 FROM tsmicro_inbox WHERE consumer = 'shop.large'`.execute(postgres.db)
  assert.equal(rows.length, 0)
})

test('rows that were not used for long are forgotten, those of one consumer and type; reading a row uses it', async () => {
  const of = { consumer: 'shop.forgetting', type: 'order' }
  const steps = [
    { ...of, aggregateId: 'unused' },
    { ...of, aggregateId: 'read' },
    { ...of, aggregateId: 'stepped' },
    { ...of, type: 'parcel', aggregateId: 'unused' },
    { ...of, consumer: 'shop.other', aggregateId: 'unused' },
  ].map(key => ({ ...key, from: 0, to: 3 }))
  for (const step of steps) await store.advance(step)
  await sql`
    INSERT INTO tsmicro_inbox SELECT ${of.consumer}, ${of.type}, 'o' || n, n FROM generate_series(1, 12000) n`.execute(
    postgres.db,
  )
  await sql`UPDATE tsmicro_inbox SET used_at = now() - interval '40 days' WHERE consumer IN (${of.consumer}, 'shop.other')`.execute(
    postgres.db,
  )
  const [, read, stepped] = steps
  assert.ok(read && stepped)
  assert.deepEqual(await store.read([read]), [3])
  await store.advance({ ...stepped, from: 3, to: 4 })
  await store.forget(of, new Date(Date.now() - 86_400_000))
  assert.deepEqual(await store.read(steps), [0, 3, 4, 3, 3])
  const { rows } = await sql`SELECT 1 FROM tsmicro_inbox WHERE consumer = ${of.consumer}`.execute(postgres.db)
  assert.equal(rows.length, 3)
})

test('a row that is taking a step is neither waited for by who reads it, nor forgotten', async () => {
  const step = attempt(0, 1, randomUUID())
  await store.advance(step)
  await sql`UPDATE tsmicro_inbox SET used_at = now() - interval '40 days' WHERE aggregate_id = ${step.aggregateId}`.execute(
    postgres.db,
  )
  const event = {}
  store.begin(event, { ...step, from: 1, to: 2 })
  await postgres.transaction(async tx => {
    await store.record(tx, event)
    assert.deepEqual(await store.read([step]), [1])
    await store.forget(step, new Date())
  })
  assert.deepEqual([await store.end(event, true), await store.read([step])], [true, [2]])
})

test('a table from before rows had a time of use gets one', async () => {
  await sql`ALTER TABLE tsmicro_inbox DROP COLUMN used_at`.execute(postgres.db)
  await store.prepare()
  assert.equal(await store.advance(attempt(0, 1, randomUUID())), true)
})
