import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql, type Transaction } from 'kysely'
import { DEADLINE_EXCEEDED } from '../errors/index.ts'
import { createPostgres, isUniqueViolation } from './index.ts'
import type { PostgresOptions } from './postgres.ts'

interface Tables {
  changes: { id: string }
}

const server = await startPostgres({ ephemeral: true })
after(() => server.stop())

async function open(options: Partial<PostgresOptions> = {}) {
  const postgres = createPostgres<Tables>({ url: server.url, ...options })
  await postgres.connect()
  after(() => postgres.close())
  return postgres
}

const postgres = await open()
await sql`create table changes (id text constraint changes_id primary key)`.execute(postgres.db)

const change = (id: string) => (tx: Transaction<Tables>) => tx.insertInto('changes').values({ id }).execute()
const changed = async (id: string) =>
  (await postgres.db.selectFrom('changes').select('id').where('id', '=', id).execute()).length === 1
/** Fails on the server, and nobody hears of it. */
const fail = (tx: Transaction<Tables>) => sql`select 1 / 0`.execute(tx).catch(() => undefined)

const isRolledBack = (error: unknown) => {
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'AbortedTransactionError')
  assert.ok(error.cause instanceof Error)
  return true
}

const ways: Readonly<Record<string, (run: (tx: Transaction<Tables>) => Promise<unknown>) => Promise<unknown>>> = {
  'postgres.transaction': run => postgres.transaction(run),
  "Kysely's transaction": run => postgres.db.transaction().execute(run),
  'a controlled transaction': async run => {
    const tx = await postgres.db.startTransaction().execute()
    await run(tx)
    await tx.commit().execute()
  },
}

for (const [name, transaction] of Object.entries(ways)) {
  test(`${name}: what PostgreSQL has rolled back is not called committed, although the statement's error was caught`, async () => {
    const id = randomUUID()
    const swallowed = transaction(async tx => {
      await change(id)(tx)
      await change(id)(tx).catch(() => undefined)
      // It only says that an earlier statement has failed.
      await sql`select 1`.execute(tx).catch(() => undefined)
    })
    await assert.rejects(
      swallowed,
      error => isRolledBack(error) && isUniqueViolation((error as Error).cause, 'changes_id'),
    )
    assert.equal(await changed(id), false)
    // The connection is as good as before.
    await transaction(change(id))
    assert.equal(await changed(id), true)
  })
}

test('what was undone up to a savepoint is committed without it', async () => {
  const [kept, undone] = [randomUUID(), randomUUID()]
  const inPart = (last: (tx: Transaction<Tables>) => Promise<unknown>) =>
    postgres.transaction(async tx => {
      await change(kept)(tx)
      await sql`savepoint part`.execute(tx)
      await change(undone)(tx)
      await fail(tx)
      await sql`rollback to savepoint part`.execute(tx)
      await last(tx)
    })
  // The error is about the statement that has failed since.
  await assert.rejects(
    inPart(tx => change(kept)(tx).catch(() => undefined)),
    error => isRolledBack(error) && isUniqueViolation((error as Error).cause),
  )
  await inPart(async () => undefined)
  assert.deepEqual([await changed(kept), await changed(undone)], [true, false])
})

test('conflicts and time-outs that were caught remain what they are', async () => {
  let runs = 0
  const conflict = sql`do $$ begin raise exception 'conflict' using errcode = '40001'; end $$`
  const result = await postgres.transaction(
    async tx => {
      if (++runs < 3) await conflict.execute(tx).catch(() => undefined)
      return runs
    },
    { retries: 2 },
  )
  assert.equal(result, 3)
  const hasty = await open({ statementTimeoutMs: 50, poolSize: 1 })
  const late = hasty.transaction(tx => sql`select pg_sleep(30)`.execute(tx).catch(() => undefined))
  await assert.rejects(late, DEADLINE_EXCEEDED)
})

test('no event of it is announced, no answer kept, and nothing recorded', async () => {
  const [id, keep] = [randomUUID(), 60_000]
  const [outbox, inbox, keys] = [postgres.outboxStore(), postgres.inboxStore(), postgres.idempotencyStore()]
  await Promise.all([outbox.prepare(), inbox.prepare()])
  let committed = 0
  outbox.onCommitted(() => committed++)
  const claim = { id, fingerprint: 'f', fence: 'x', leaseMs: keep, keepMs: keep }
  assert.equal(await keys.claim(claim), undefined)
  const event = {}
  inbox.begin(event, { consumer: 'shop.stock', type: 'order', aggregateId: id, from: 0, to: 1 })
  const about = { type: 'order', aggregateId: id, version: 1, time: new Date().toISOString(), data: '{}', context: {} }
  const swallowed = keys.handle?.(claim, () =>
    postgres.transaction(async tx => {
      await outbox.add(tx as never, { id: randomUUID(), subject: 'order.made', ...about }, { restart: false })
      await inbox.record(tx, event)
      await keys.confirm(tx)
      await fail(tx)
    }),
  )
  await assert.rejects(swallowed ?? Promise.resolve(), isRolledBack)
  assert.equal(committed, 0)
  assert.equal((await outbox.depth()).pending, 0)
  assert.equal(await inbox.end(event, true), false)
  const record = await keys.claim({ ...claim, fence: 'y' })
  assert.deepEqual(record, { fingerprint: 'f', answer: undefined })
})

test('whoever catches that an event or a call is somebody else’s cannot commit its effect', async () => {
  const [inbox, keys] = [postgres.inboxStore(), postgres.idempotencyStore()]
  await inbox.prepare()
  const [first, again, late] = [{}, {}, {}]
  const aggregateId = randomUUID()
  const record = (event: object, id: string) =>
    postgres.transaction(async tx => {
      await change(id)(tx)
      await inbox.record(tx, event).catch(() => undefined)
    })
  for (const event of [first, again, late])
    inbox.begin(event, { consumer: 'shop.stock', type: 'order', aggregateId, from: 0, to: 1 })
  await record(first, 'first')
  await assert.rejects(record(again, 'again'), { name: 'AlreadyHandledError' })
  await inbox.end(late, false)
  await assert.rejects(record(late, 'late'), { name: 'AlreadyHandledError' })

  const claim = { id: randomUUID(), fingerprint: 'f', fence: 'old', leaseMs: 0, keepMs: 60_000 }
  await keys.claim(claim)
  await keys.claim({ ...claim, fence: 'new', leaseMs: 60_000 })
  const confirmed = keys.handle?.(claim, () =>
    postgres.transaction(async tx => {
      await change('confirmed')(tx)
      await keys.confirm(tx).catch(() => undefined)
    }),
  )
  await assert.rejects(confirmed ?? Promise.resolve(), { code: 'SERVICE_UNAVAILABLE' })
  const effects = await Promise.all(['first', 'again', 'late', 'confirmed'].map(changed))
  assert.deepEqual(effects, [true, false, false, false])
})
