import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { locatePgbouncer, startPgbouncer, startPostgres } from '@tsmicro/infra'
import { sql, type Transaction } from 'kysely'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { createPostgres } from 'tsmicro/postgres'
import { until } from '../support/until.ts'
import { sentDespiteKills } from './outbox-killed.ts'
import { type OutboxSetting, outboxSuite, storedEvent, TestStream } from './outbox-suite.ts'
import { type Options, openOutbox } from './postgres-setting.ts'

const server = await startPostgres({ ephemeral: true, extraArgs: ['-c', 'deadlock_timeout=20ms'] })
after(() => server.stop())

const inFull = Boolean(process.env.CI)

const open = (options: Partial<Options> = {}) => openOutbox({ url: server.url, ...options })

const { postgres: direct } = await open({ applicationName: 'direct' })
await sql`CREATE TABLE things (id text PRIMARY KEY, changes integer NOT NULL)`.execute(direct.db)

const skip = locatePgbouncer() ? false : 'there is no pgbouncer on this machine'
const pooler = skip ? undefined : await startPgbouncer(server.url, { settings: { default_pool_size: 6 } })
after(() => pooler?.[Symbol.asyncDispose]())

test('instances that start at the same time create the tables once', async () => {
  await sql`CREATE DATABASE fresh`.execute(direct.db)
  const url = new URL(server.url)
  url.pathname = 'fresh'
  const made = Array.from({ length: 5 }, () => createPostgres({ url: url.href, poolSize: 2 }))
  await Promise.all(made.flatMap(each => [each.outboxStore().prepare(), each.inboxStore().prepare()]))
  // A user who may not create tables starts as well.
  await sql`CREATE ROLE few LOGIN PASSWORD 'few'`.execute(direct.db)
  const [some] = made
  await sql`REVOKE CREATE ON SCHEMA public FROM public`.execute(some?.db ?? direct.db)
  Object.assign(url, { username: 'few', password: 'few' })
  const few = createPostgres({ url: url.href })
  await few.outboxStore().prepare()
  await Promise.all([...made, few].map(each => each.close()))
})

outboxSuite(() => open())

test('behind a pooler that gives each transaction another session, all of it is the same', { skip }, async t => {
  const first = await open({ url: pooler?.url ?? '', pooler: 'transaction', poolSize: 4 })
  const second = await open({ url: pooler?.url ?? '', pooler: 'transaction', poolSize: 4 })
  const id = randomUUID()
  const stream = new TestStream()
  const gate = Promise.withResolvers<void>()
  await t.test('one relay at a time', async () => {
    await first.commit([storedEvent(id)])
    const relaying = first.store.relay(async events => {
      await gate.promise
      return stream.send(events)
    }, 10)
    await until('the other has no turn', async () => (await second.store.relay(stream.send, 10)) === 'busy')
    gate.resolve()
    assert.equal(await relaying, 1)
  })
  await t.test('numbers without gaps, from both', async () => {
    const changes = Array.from({ length: 40 }, (_, n) => (n % 2 ? first : second).commit([storedEvent(id)]))
    await Promise.all([...changes, stream.drain(first), stream.drain(second)])
    await stream.drain(second)
    await until('all are sent', async () => {
      await stream.drain(first)
      return stream.numbers(id).length === 41
    })
    assert.deepEqual(
      stream.numbers(id),
      Array.from({ length: 41 }, (_, n) => n + 1),
    )
  })
})

test('a long transaction holds up nobody else, and is not jumped', async () => {
  const outbox = await open()
  const { store, postgres } = outbox
  const [early, late, other] = [randomUUID(), randomUUID(), randomUUID()]
  const stream = new TestStream()
  const gate = Promise.withResolvers<void>()
  const added = Promise.withResolvers<void>()
  const long = postgres.transaction(async tx => {
    // The oldest of all transactions, with the lowest position.
    await sql`SELECT txid_current()`.execute(tx)
    await store.add(tx, storedEvent(early), { restart: false })
    added.resolve()
    await gate.promise
    await store.add(tx, storedEvent(late), { restart: false })
  })
  await added.promise
  for (let n = 0; n < 30; n++) await outbox.commit([storedEvent(other)])
  await stream.drain(outbox)
  assert.equal(stream.numbers(other).length, 30)
  // An event of the same aggregate waits for it.
  const following = outbox.commit([storedEvent(early)])
  gate.resolve()
  await Promise.all([long, following])
  await stream.drain(outbox)
  assert.deepEqual([stream.numbers(early), stream.numbers(late)], [[1, 2], [1]])
})

test("what Kysely's own transaction commits is found without a word about it", async () => {
  const { store, postgres } = await open()
  const id = randomUUID()
  let heard = 0
  store.onCommitted(() => heard++)
  const stream = new TestStream()
  await postgres.db.transaction().execute(tx => store.add(tx, storedEvent(id), { restart: false }))
  await until('it is sent', async () => {
    await store.relay(stream.send, 10)
    return stream.numbers(id).length === 1
  })
  assert.equal(heard, 0)
  const outside = postgres.db as unknown as Transaction<unknown>
  await assert.rejects(store.add(outside, storedEvent(id), { restart: false }), /in a transaction/)
})

test('a restart goes on after the numbers that an aggregate had before there was an outbox', async () => {
  const outbox = await open()
  const { store, postgres } = outbox
  const [former, known] = [randomUUID(), randomUUID()]
  const add = (id: string, after?: number) =>
    postgres.transaction(tx =>
      store.add(tx, storedEvent(id), after === undefined ? { restart: false } : { restart: true, after }),
    )
  await add(former, 7)
  await add(former)
  for (let n = 0; n < 3; n++) await add(known)
  await add(known, 1)
  await add(known, 9)
  const stream = new TestStream()
  await stream.drain(outbox)
  const firsts = (id: string) => stream.accepted.filter(each => each.aggregateId === id).map(({ first }) => first)
  assert.deepEqual(
    [stream.numbers(former), stream.numbers(known)],
    [
      [8, 9],
      [1, 2, 3, 4, 10],
    ],
  )
  assert.deepEqual(
    [firsts(former), firsts(known)],
    [
      [8, 8],
      [1, 1, 1, 4, 10],
    ],
  )
})

test('deadlocks and serialization failures are tried again, and leave no gap', async () => {
  const settings = await Promise.all([open({ poolSize: 20 }), open({ poolSize: 20 })])
  const ids = [randomUUID(), randomUUID(), randomUUID()]
  let tries = 0
  const changes = Array.from({ length: 40 }, async (_, n) => {
    const { postgres, store } = settings[n % 2] as (typeof settings)[0]
    const isolation = n % 3 === 0 ? 'serializable' : 'read committed'
    const order = n % 2 ? ids : [...ids].reverse()
    const change = async (tx: Transaction<unknown>) => {
      tries += 1
      for (const id of order) {
        await sql`INSERT INTO things VALUES (${id}, 1) ON CONFLICT (id) DO UPDATE SET changes = things.changes + 1`.execute(
          tx,
        )
        await store.add(tx, storedEvent(id, { data: String(n) }), { restart: false })
      }
    }
    await postgres.transaction(change, { isolation, retries: 1000 })
  })
  await Promise.all(changes)
  const stream = new TestStream()
  await stream.drain(settings[0] as OutboxSetting)
  for (const id of ids)
    assert.deepEqual(
      stream.numbers(id),
      Array.from({ length: 40 }, (_, n) => n + 1),
    )
  assert.ok(tries > 40, 'nothing has conflicted')
})

test('a turn goes on while there is more, unless something was not accepted', async () => {
  const { store, commit } = await open()
  const [id, bad] = [randomUUID(), randomUUID()]
  const stream = new TestStream()
  stream.accepts = ({ aggregateId }) => aggregateId !== bad
  await commit([storedEvent(id)])
  const left = [[id], [], [id, bad]]
  const more = async () => {
    const next = left.shift()
    for (const each of next ?? []) await commit([storedEvent(each)])
    return next !== undefined
  }
  assert.equal(await store.relay(stream.send, 10, more), 3)
  assert.deepEqual([stream.numbers(id), left], [[1, 2, 3], []])
  stream.accepts = () => true
  await commit([storedEvent(id)])
  assert.equal(await store.relay(stream.send, 10, more), 2)
  // The limit is that of the turn.
  left.push([id], [id], [id], [id])
  await commit([storedEvent(id)])
  assert.equal(await store.relay(stream.send, 3, more), 3)
  assert.equal(await store.relay(stream.send, 10), 0)
  assert.deepEqual([stream.numbers(id), stream.numbers(bad)], [[1, 2, 3, 4, 5, 6, 7], [1]])
})

test('a relay whose process hangs loses its turn', { skip: inFull ? false : 'CI=true npm test runs it' }, async () => {
  const outbox = await open()
  const id = randomUUID()
  await outbox.commit([storedEvent(id)])
  const stream = new TestStream()
  const hanging = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const frozen = (await open({ applicationName: 'frozen' })).store.relay(async events => {
    begun.resolve()
    await hanging.promise
    return events.map(() => 1)
  }, 10)
  frozen.catch(() => {})
  await begun.promise
  const { rows } = await sql<{ limit: string }>`
    SELECT pid FROM pg_stat_activity WHERE application_name = 'frozen' AND state = 'idle in transaction'`.execute(
    direct.db,
  )
  assert.equal(rows.length, 1)
  await until('another one has its turn', async () => (await outbox.store.relay(stream.send, 10)) === 1)
  hanging.resolve()
  await assert.rejects(frozen, SERVICE_UNAVAILABLE)
  assert.deepEqual(stream.numbers(id), [1])
})

test('PostgreSQL is killed: what was committed is sent, what was not is not', async () => {
  const own = await startPostgres({ ephemeral: true })
  try {
    await sentDespiteKills(own, await open({ url: own.url }), randomUUID(), inFull ? [20, 40] : [10])
  } finally {
    await own.stop()
  }
})
