import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { RecordedLog } from '../../tests/support/log.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createPostgres } from './index.ts'
import type { PostgresOptions } from './postgres.ts'

interface Tables {
  things: { id: number; name: string }
}

const server = await startPostgres({ ephemeral: true })
const admin = createPostgres<Tables>({ url: server.url })
await sql`create table things (id integer primary key, name text not null)`.execute(admin.db)
await sql`insert into things select n, 'thing ' || n from generate_series(1, 300) n`.execute(admin.db)
after(async () => {
  await admin.close()
  await server.stop()
})

function open(options: Partial<PostgresOptions> = {}) {
  const postgres = createPostgres<Tables>({ url: server.url, poolSize: 1, ...options })
  return { ...postgres, [Symbol.asyncDispose]: () => postgres.close() }
}
type Opened = ReturnType<typeof open>

const find = ({ db }: Pick<Opened, 'db'>, id: number) =>
  db.selectFrom('things').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
/** How many statements the connection has prepared, and how often they were used. */
async function prepared({ db }: Opened): Promise<{ count: number; uses: number }> {
  const { rows } = await sql<{ count: number; uses: number }>`select count(*)::int as count,
    coalesce(sum(generic_plans + custom_plans), 0)::int as uses from pg_prepared_statements`.execute(db)
  return rows[0] ?? { count: -1, uses: -1 }
}

test('statements that recur often are prepared, others are not', async () => {
  await using postgres = open()
  for (let id = 1; id <= 4; id++) assert.equal((await find(postgres, id)).name, `thing ${id}`)
  assert.deepEqual(await prepared(postgres), { count: 0, uses: 0 })
  for (let id = 5; id <= 24; id++) assert.equal((await find(postgres, id)).name, `thing ${id}`)
  assert.deepEqual(await prepared(postgres), { count: 1, uses: 20 })
  await assert.rejects(postgres.db.insertInto('things').values({ id: 1, name: 'x' }).execute(), { code: '23505' })
})

test('a connection keeps at most 200 prepared statements, all others run unprepared', async () => {
  await using postgres = open()
  for (let n = 0; n < 230; n++) {
    for (let time = 0; time < 5; time++) {
      const { rows } = await sql<{ n: number }>`select ${sql.lit(n)}::int + ${0} as n`.execute(postgres.db)
      assert.equal(rows[0]?.n, n)
    }
  }
  assert.equal((await prepared(postgres)).count, 200)
})

test('none are prepared behind a pooler, or if they are switched off', async () => {
  for (const options of [{ pooler: 'transaction' }, { preparedStatements: false }] as const) {
    await using postgres = open(options)
    for (let id = 1; id <= 10; id++) await find(postgres, id)
    assert.equal((await prepared(postgres)).count, 0)
  }
})

test('a table may get another column in the meantime; in a transaction that is an error to be retried', async () => {
  await using postgres = open({ poolSize: 3 })
  const all = (from: number) => Promise.all(Array.from({ length: 30 }, (_, n) => find(postgres, from + n)))
  await all(1)
  await sql`alter table things add column colour text`.execute(admin.db)
  assert.deepEqual(await find(postgres, 7), { id: 7, name: 'thing 7', colour: null })
  await all(30)
  for (const retries of [0, 1]) {
    await sql`alter table things add column ${sql.ref(`more_${retries}`)} text`.execute(admin.db)
    const work = postgres.transaction(trx => find({ db: trx as never }, 8), { retries })
    if (retries === 0) await assert.rejects(work, SERVICE_UNAVAILABLE)
    else assert.equal((await work).name, 'thing 8')
    assert.equal((await find(postgres, 9)).name, 'thing 9')
  }
})

test('a session that loses prepared statements, as behind a pooler, ends preparing and nothing else', async () => {
  const log = new RecordedLog()
  await using postgres = open({ log })
  for (let id = 1; id <= 10; id++) await find(postgres, id)
  await sql`deallocate all`.execute(postgres.db)
  for (let id = 1; id <= 10; id++) assert.equal((await find(postgres, id)).id, id)
  assert.match(
    log
      .at('warn')
      .map(({ message }) => message)
      .join(),
    /^PostgreSQL does not keep prepared statements, .* set pooler\): prepared statement "tsmicro_\w+" does not exist$/,
  )
  assert.equal((await prepared(postgres)).count, 0)
})
