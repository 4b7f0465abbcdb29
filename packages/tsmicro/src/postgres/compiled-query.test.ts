import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { type Kysely, sql } from 'kysely'
import { compileQuery, createPostgres } from './index.ts'

interface Tables {
  things: { id: number; name: string; colour: string | null }
}
type Db = Kysely<Tables>

const server = await startPostgres({ ephemeral: true })
const postgres = createPostgres<Tables>({ url: server.url, poolSize: 1 })
const { db } = postgres
await sql`create table things (id integer primary key, name text not null, colour text)`.execute(db)
await sql`insert into things select n, 'thing ' || n, 'red' from generate_series(1, 20) n`.execute(db)
after(async () => {
  await postgres.close()
  await server.stop()
})

test('a query is built once, and prepared like any other', async () => {
  let built = 0
  const find = compileQuery((db: Db, { id }: { id: number }) => {
    built++
    return db.selectFrom('things').select(['id', 'name']).where('id', '=', id).where('colour', '=', 'red')
  })
  for (let id = 1; id <= 20; id++) assert.deepEqual(await find(db, { id }), [{ id, name: `thing ${id}` }])
  assert.deepEqual(await find(db, { id: 21 }), [])
  assert.equal(built, 1)
  const { rows } = await sql<{ uses: number }>`select (generic_plans + custom_plans)::int as uses
    from pg_prepared_statements where statement like '%"colour"%'`.execute(db)
  assert.deepEqual(rows, [{ uses: 17 }])
})

test('values may be anywhere in it, several times, between constants, and null', async () => {
  const rename = compileQuery((db: Db, { id, name, colour }: { id: number; name: string; colour: string | null }) =>
    db
      .insertInto('things')
      .values({ id, name, colour })
      .onConflict(conflict => conflict.column('id').doUpdateSet({ name: sql`${'a '}::text || ${name}::text`, colour }))
      .returning(['name', 'colour', sql<number>`${id}::int + ${1}::int`.as('next')]),
  )
  assert.deepEqual(await rename(db, { id: 30, name: 'new', colour: 'blue' }), [
    { name: 'new', colour: 'blue', next: 31 },
  ])
  assert.deepEqual(await rename(db, { id: 30, name: 'new', colour: null }), [{ name: 'a new', colour: null, next: 31 }])
})

test('it runs within a transaction as well', async () => {
  const find = compileQuery((db: Db, { name }: { name: string }) =>
    db.selectFrom('things').select('id').where('name', '=', name),
  )
  const undone = postgres.transaction(async transaction => {
    await transaction.updateTable('things').set({ name: 'changed' }).where('id', '=', 1).execute()
    assert.deepEqual(await find(transaction, { name: 'changed' }), [{ id: 1 }])
    throw new Error('undo')
  })
  await assert.rejects(undone, /undo/)
  assert.deepEqual(await find(db, { name: 'changed' }), [])
})

test('a query whose text depends on a value says so when it is built', async () => {
  const find = compileQuery((db: Db, { page }: { page: number }) =>
    db
      .selectFrom('things')
      .selectAll()
      .offset(page * 10),
  )
  await assert.rejects(find(db, { page: 1 }), { name: 'TypeError', message: /^page is a parameter/ })
})
