import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, type TestContext, test } from 'node:test'
import { locatePgbouncer, startPgbouncer, startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { entry, first, migrationFolder } from '../../tests/support/migrations.ts'
import { until } from '../../tests/support/until.ts'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, unusableIn } from '../errors/index.ts'
import { createPostgres } from './index.ts'
import type { PostgresOptions } from './postgres.ts'

interface Tables {
  written: { id: number }
}

const skip = locatePgbouncer() ? false : 'there is no pgbouncer on this machine'
const SESSIONS = 3
const server = await startPostgres({ ephemeral: true })
// Connects past the pooler
const direct = createPostgres<Tables>({ url: server.url, applicationName: 'direct' })
await sql`create table written (id integer primary key)`.execute(direct.db)
const pooler = skip ? undefined : await startPgbouncer(server.url, { settings: { default_pool_size: SESSIONS } })
after(async () => {
  await direct.close()
  await pooler?.[Symbol.asyncDispose]()
  await server.stop()
})

const current = new AsyncLocalStorage<AbortSignal>()
function open(options: Partial<PostgresOptions> = {}) {
  const postgres = createPostgres<Tables>({
    url: pooler?.url ?? '',
    pooler: 'transaction',
    currentSignal: () => current.getStore(),
    ...options,
  })
  return { ...postgres, [Symbol.asyncDispose]: () => postgres.close() }
}

const nap = (seconds: number) => sql`select pg_sleep(${seconds})`
/** Sessions behind the pooler that are busy, or in a transaction. */
async function busy(text = ''): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where application_name <> 'direct' and backend_type = 'client backend'
      and state <> 'idle' and strpos(query, ${text}) > 0`.execute(direct.db)
  return rows[0]?.count ?? Number.NaN
}
const idle = () => until('nothing runs behind the pooler', async () => (await busy()) === 0)

test('more clients than sessions: reads, changes and transactions, with parameters', { skip }, async () => {
  await using postgres = open({ poolSize: 3 * SESSIONS })
  const work = Array.from({ length: 90 }, async (_, id) => {
    await postgres.transaction(
      async trx => {
        await trx.insertInto('written').values({ id }).execute()
        const { rows } = await sql<{ id: number }>`select id from written where id = ${id}`.execute(trx)
        assert.deepEqual(rows, [{ id }])
      },
      id % 2 === 0 ? { isolation: 'serializable', retries: 20 } : {},
    )
    const found = await postgres.db.selectFrom('written').select('id').where('id', '=', id).execute()
    assert.deepEqual(found, [{ id }])
  })
  await Promise.all(work)
  await postgres.check()
})

test('a statement that takes too long is ended, and no session keeps the limit', { skip }, async () => {
  await using postgres = open({ statementTimeoutMs: 400, poolSize: 4 })
  const alone = nap(60).execute(postgres.db)
  const change = sql`insert into written select -1 from pg_sleep(60)`.execute(postgres.db)
  const within = postgres.transaction(async trx => {
    const { rows } = await sql<{ limit: string }>`select current_setting('statement_timeout') as limit`.execute(trx)
    assert.equal(rows[0]?.limit, '400ms')
    await nap(60).execute(trx)
  })
  await Promise.all([alone, change, within].map(work => assert.rejects(work, DEADLINE_EXCEEDED)))
  await idle()
  await using patient = open({ poolSize: SESSIONS })
  const limits = await Promise.all(
    Array.from({ length: SESSIONS }, () =>
      sql<{ limit: string }>`select current_setting('statement_timeout') as limit from pg_sleep(0.05)`.execute(
        patient.db,
      ),
    ),
  )
  assert.deepEqual(new Set(limits.map(({ rows }) => rows[0]?.limit)), new Set(['0']))
  assert.deepEqual(await postgres.db.selectFrom('written').selectAll().where('id', '<', 0).execute(), [])
})

test('a statement that nobody waits for is ended through the pooler, and never another one', { skip }, async () => {
  await using postgres = open({ poolSize: 2 * SESSIONS })
  const gone = new Error('the caller went away')
  const controller = new AbortController()
  const reads = current.run(controller.signal, () =>
    Array.from({ length: SESSIONS }, () => nap(60).execute(postgres.db)),
  )
  const ended = Promise.all(reads.map(read => assert.rejects(read, error => error === gone)))
  await until('all naps run', async () => (await busy('pg_sleep')) === SESSIONS)
  controller.abort(gone)
  await ended
  await idle()
  let [cut, finished] = [0, 0]
  const workers = Array.from({ length: 2 * SESSIONS }, async (_, worker) => {
    for (let round = 0; round < 30; round++) {
      const expected = 1000 * (worker + 1) + round
      if (worker % 2 === 0) {
        const { rows } = await sql<{ n: number }>`select ${expected}::int as n`.execute(postgres.db)
        assert.equal(rows[0]?.n, expected)
        await postgres.db.insertInto('written').values({ id: expected }).execute()
        continue
      }
      const one = new AbortController()
      setTimeout(() => one.abort(gone), Math.random() * 8)
      await current
        .run(one.signal, () => nap(Math.random() * 0.008).execute(postgres.db))
        .then(
          () => finished++,
          error => {
            assert.equal(error, gone)
            cut++
          },
        )
    }
  })
  await Promise.all(workers)
  assert.ok(cut > 0 && finished > 0, `${cut} ended, ${finished} finished`)
  await idle()
})

test('several instances migrate at the same time, with an index that is built concurrently', {
  skip,
}, async (t: TestContext) => {
  const files = {
    ...first,
    '0002_rows.sql': entry('x').repeat(20),
    '0003_index.sql': '-- tsmicro: no transaction\ncreate index concurrently by_name on log (name)',
  }
  const { names, database, location } = await migrationFolder(t, direct as never, server.url, files)
  // The pooler knows only the database app.
  await using before = await startPgbouncer(server.url, { database, settings: { default_pool_size: 4 } })
  const instances = Array.from({ length: 3 }, () => open({ url: before.url, statementTimeoutMs: 5000 }))
  const reports = await Promise.all(instances.map(instance => instance.migrate(location)))
  assert.equal(reports.flatMap(({ applied }) => applied).length, 3)
  assert.equal((await names()).length, 20)
  await Promise.all(instances.map(instance => instance.close()))
})

test('a pooler that ignores the time limit of statements is reported, and only then', { skip }, async () => {
  const settings = { ignore_startup_parameters: 'statement_timeout' }
  await using silent = await startPgbouncer(server.url, { settings })
  const told: string[] = []
  const log = { warn: (_: object, message: string) => void told.push(message) }
  for (const options of [{ log, url: silent.url }, { log }, { log, url: server.url, pooler: undefined }]) {
    await using postgres = open(options)
    await postgres.connect()
  }
  assert.deepEqual(told, [])
  await using unlimited = open({ log, url: silent.url, pooler: undefined })
  await unlimited.connect()
  assert.match(told.join(), /^PostgreSQL has no time limit for statements: a pooler ignores it, so set pooler/)
})

test('permanent refusals of a pooler are reported immediately, with advice', { skip }, async () => {
  const url = pooler?.url ?? ''
  const cases: [options: Partial<PostgresOptions>, expected: RegExp][] = [
    [
      { pooler: undefined },
      /unsupported startup parameter: statement_timeout: .* set pooler to 'transaction' \(DATABASE_POOLER=transaction\)/,
    ],
    [{ url: `${url}?options=-c%20work_mem%3D1MB` }, /unsupported startup parameter: options: remove it/],
    [
      { url: url.replace(/app$/, 'missing') },
      /no such database: missing: check its URL, and the configuration of the pooler/,
    ],
    [{ url: url.replace(/app$/, 'nowhere') }, /"nowhere" does not exist: create the database "nowhere"/],
    [{ url: url.replace(/:[^:@]*@/, ':wrong@') }, /SASL authentication failed: check its URL/],
    [{ url: `${url}?sslmode=require` }, /does not support SSL connections/],
  ]
  for (const [options, expected] of cases) {
    await using postgres = open(options)
    await assert.rejects(postgres.connect(), (error: unknown) => {
      assert.ok(error instanceof SERVICE_UNAVAILABLE)
      assert.match(unusableIn(error)?.message ?? `waits: ${error.cause}`, expected)
      return true
    })
  }
})
