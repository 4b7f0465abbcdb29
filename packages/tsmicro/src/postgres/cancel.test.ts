import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { Deadline } from '../call/index.ts'
import { DEADLINE_EXCEEDED } from '../errors/index.ts'
import { createPostgres } from './index.ts'

interface Tables {
  written: { id: number }
}

const POOL = 4
const server = await startPostgres({ ephemeral: true })
const current = new AsyncLocalStorage<AbortSignal | Deadline>()
const postgres = createPostgres<Tables>({
  url: server.url,
  poolSize: POOL,
  applicationName: 'cancelled',
  currentSignal: () => current.getStore(),
})
const watcher = createPostgres<Tables>({ url: server.url, poolSize: 1, applicationName: 'watcher' })
await sql`create table written (id integer primary key)`.execute(postgres.db)
after(async () => {
  await Promise.all([postgres.close(), watcher.close()])
  await server.stop()
})

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (await condition()) return
    await sleep(20)
  }
  assert.fail('the condition did not come true')
}

/** How many of the pool's connections are busy (the server tells of the end a moment after the client has heard of it), or in a transaction, with a statement that has the text in it. */
async function busy(text = ''): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where application_name = 'cancelled' and state <> 'idle' and strpos(query, ${text}) > 0`.execute(watcher.db)
  return rows[0]?.count ?? Number.NaN
}
const written = async (id: number) =>
  (await watcher.db.selectFrom('written').where('id', '=', id).select('id').execute()).length === 1
const nap = (seconds: number) => sql`select pg_sleep(${seconds})`
const gone = new Error('the caller went away')

test('a read that nobody waits for ends on the server, with the signal’s reason', async () => {
  for (const reason of [gone, new DEADLINE_EXCEEDED()]) {
    const controller = new AbortController()
    const reads = current.run(controller.signal, () => Array.from({ length: POOL }, () => nap(60).execute(postgres.db)))
    const ended = Promise.all(reads.map(read => assert.rejects(read, error => error === reason)))
    await until(async () => (await busy('pg_sleep')) === POOL)
    controller.abort(reason)
    await ended
    await until(async () => (await busy('pg_sleep')) === 0)
  }
  await Promise.all(Array.from({ length: 2 * POOL }, () => nap(0).execute(postgres.db)))
})

test('the deadline of a call ends its reads, and is not asked for a signal', async () => {
  using deadline = new Deadline(60_000)
  Object.defineProperty(deadline, 'signal', { get: () => assert.fail('a signal costs more than the read') })
  assert.equal((await current.run(deadline, () => nap(0).execute(postgres.db))).rows.length, 1)
  const ended = assert.rejects(
    current.run(deadline, () => nap(60).execute(postgres.db)),
    error => error === gone,
  )
  await until(async () => (await busy('pg_sleep')) === 1)
  deadline.cancel(gone)
  await ended
  await until(async () => (await busy('pg_sleep')) === 0)
  await assert.rejects(
    current.run(deadline, () => nap(60).execute(postgres.db)),
    error => error === gone,
  )
})

test('nothing is sent for a caller who has left', async () => {
  const refused = current.run(AbortSignal.abort(gone), () => nap(60).execute(postgres.db))
  await assert.rejects(refused, error => error === gone)
})

test('callers who wait for a connection are released, too', async () => {
  const controller = new AbortController()
  const all = current.run(controller.signal, () => Array.from({ length: 50 }, () => nap(60).execute(postgres.db)))
  const ended = Promise.all(all.map(each => assert.rejects(each, error => error === gone)))
  await until(async () => (await busy('pg_sleep')) === POOL)
  controller.abort(gone)
  await ended
  await until(async () => (await busy()) === 0)
})

test('in many rounds, no cancel request ever hits another statement', async () => {
  let ended = 0
  let finished = 0
  const workers = Array.from({ length: 3 * POOL }, async (_, worker) => {
    for (let round = 0; round < 40; round++) {
      const expected = worker * 1000 + round
      if (worker % 2 === 0) {
        const { rows } = await sql<{ n: number }>`select ${expected}::int as n`.execute(postgres.db)
        assert.equal(rows[0]?.n, expected)
        await postgres.db.insertInto('written').values({ id: expected }).execute()
        continue
      }
      const controller = new AbortController()
      setTimeout(() => controller.abort(gone), Math.random() * 8)
      // About as long as the signal takes, so that many are ended at the very moment they end by themselves.
      const read = current.run(controller.signal, () => nap(Math.random() * 0.008).execute(postgres.db))
      await read.then(
        () => finished++,
        error => {
          assert.equal(error, gone)
          ended++
        },
      )
    }
  })
  await Promise.all(workers)
  assert.ok(ended > 0 && finished > 0, `${ended} ended, ${finished} finished`)
  await until(async () => (await busy()) === 0)
  const sessions = sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where application_name = 'cancelled'`
  await until(async () => ((await sessions.execute(watcher.db)).rows[0]?.count ?? POOL + 1) <= POOL)
})

test('changes are completed without their caller, alone and in a transaction', async () => {
  const controller = new AbortController()
  const insert = (id: number) => sql`insert into written select ${id} from pg_sleep(0.3)`
  const both = current.run(controller.signal, () => [
    insert(-1).execute(postgres.db),
    postgres.transaction(async trx => {
      await insert(-2).execute(trx)
      await nap(0.01).execute(trx)
    }),
  ])
  await until(async () => (await busy('pg_sleep')) === 2)
  controller.abort(gone)
  await Promise.all(both)
  assert.deepEqual([await written(-1), await written(-2)], [true, true])
})

test('a transaction with a signal is rolled back completely, at any point', async () => {
  const controller = new AbortController()
  const work = postgres.transaction(
    async trx => {
      await trx.insertInto('written').values({ id: -3 }).execute()
      await sql`insert into written select -4 from pg_sleep(60)`.execute(trx)
    },
    { signal: controller.signal },
  )
  const undone = assert.rejects(work, error => error === gone)
  await until(async () => (await busy('pg_sleep')) === 1)
  controller.abort(gone)
  await undone
  assert.deepEqual([await written(-3), await written(-4)], [false, false])
  await until(async () => (await busy()) === 0)
})

test('aborted between two statements or before COMMIT, it sends only ROLLBACK', async () => {
  for (const swallow of [false, true]) {
    const controller = new AbortController()
    const work = postgres.transaction(
      async trx => {
        await trx.insertInto('written').values({ id: -5 }).execute()
        controller.abort(gone)
        if (!swallow) await trx.insertInto('written').values({ id: -6 }).execute()
      },
      { signal: controller.signal },
    )
    await assert.rejects(work, error => error === gone)
    assert.deepEqual([await written(-5), await written(-6)], [false, false])
    await until(async () => (await busy()) === 0)
  }
  // The next user of these connections is not affected by another caller's signal.
  await Promise.all(
    Array.from({ length: POOL }, (_, n) =>
      postgres.transaction(trx =>
        trx
          .insertInto('written')
          .values({ id: -10 - n })
          .execute(),
      ),
    ),
  )
})

test('a hanging server blocks nobody, and is used again when it responds', async () => {
  const controller = new AbortController()
  const read = current.run(controller.signal, () => nap(60).execute(postgres.db))
  const ended = assert.rejects(read, error => error === gone)
  await until(async () => (await busy('pg_sleep')) === 1)
  server.kill('SIGSTOP')
  try {
    controller.abort(gone)
    await ended
  } finally {
    server.kill('SIGCONT')
  }
  await until(() =>
    Promise.all(Array.from({ length: 2 * POOL }, () => nap(0).execute(postgres.db))).then(
      () => true,
      () => false,
    ),
  )
})
