import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createPostgres } from './index.ts'

interface Tables {
  written: { id: number }
}

const server = await startPostgres({ ephemeral: true })
const warnings: string[] = []
const log = { warn: (_: object, message: string) => warnings.push(message) }
const postgres = createPostgres<Tables>({ url: server.url, poolSize: 5, log })
await sql`create table written (id integer primary key)`.execute(postgres.db)
after(async () => {
  await postgres.close()
  await server.stop()
})

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (await condition()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.fail('the condition did not come true')
}

const usable = () =>
  postgres.check().then(
    () => true,
    () => false,
  )

/** Ends all other connections to the server, as an administrator does. */
async function terminateOthers(): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend'`.execute(postgres.db)
}

test('idle connections may die', async () => {
  await Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.02)`.execute(postgres.db)))
  await terminateOthers()
  await until(() => warnings.length >= 4)
  for (let n = 0; n < 10; n++) await sql`select 1`.execute(postgres.db)
})

test('a connection that dies inside a transaction is unavailable, and its work is rolled back', async () => {
  const inside = Promise.withResolvers<void>()
  const killed = Promise.withResolvers<void>()
  const work = postgres.transaction(async trx => {
    await trx.insertInto('written').values({ id: -1 }).execute()
    inside.resolve()
    await killed.promise
    await trx.insertInto('written').values({ id: -2 }).execute()
  })
  await inside.promise
  await terminateOthers()
  killed.resolve()
  await assert.rejects(work, SERVICE_UNAVAILABLE)
  assert.deepEqual(await postgres.db.selectFrom('written').selectAll().where('id', '<', 0).execute(), [])
})

test('kill -9 under load: unavailable, nothing acknowledged is lost, recovers by itself', async () => {
  const acknowledged: number[] = []
  const strange: unknown[] = []
  let refused = 0
  let next = 1
  let going = true
  const worker = async () => {
    while (going) {
      const id = next++
      try {
        if (id % 2 === 0) await postgres.db.insertInto('written').values({ id }).execute()
        else await postgres.transaction(trx => trx.insertInto('written').values({ id }).execute())
        acknowledged.push(id)
      } catch (error) {
        if (error instanceof SERVICE_UNAVAILABLE) refused++
        else strange.push(error)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
  }
  const workers = Array.from({ length: 8 }, worker)
  await until(() => acknowledged.length > 100)
  server.kill('SIGKILL')
  await until(() => refused > 8)
  await assert.rejects(postgres.check(), SERVICE_UNAVAILABLE)
  await server.restart()
  await until(usable)
  const before = acknowledged.length
  await until(() => acknowledged.length > before + 50)
  going = false
  await Promise.all(workers)
  assert.deepEqual(strange, [])
  const rows = await postgres.db.selectFrom('written').select('id').execute()
  const found = new Set(rows.map(row => row.id))
  assert.deepEqual(
    acknowledged.filter(id => !found.has(id)),
    [],
  )
})

test('a hanging server is detected, and used again when it responds', async () => {
  server.kill('SIGSTOP')
  try {
    await assert.rejects(postgres.check(), SERVICE_UNAVAILABLE)
  } finally {
    server.kill('SIGCONT')
  }
  await until(usable)
})

test('a hanging server does not block closing: waiting connections are destroyed', async () => {
  const other = createPostgres<Tables>({ url: server.url, poolSize: 2 })
  const frozen = Promise.withResolvers<void>()
  const work = other.transaction(async trx => {
    await trx.insertInto('written').values({ id: -3 }).execute()
    server.kill('SIGSTOP')
    frozen.resolve()
    await trx.insertInto('written').values({ id: -4 }).execute()
  })
  try {
    await frozen.promise
    await Promise.all([assert.rejects(work, SERVICE_UNAVAILABLE), other.close(), other.close()])
  } finally {
    server.kill('SIGCONT')
  }
  await until(usable)
  assert.deepEqual(await postgres.db.selectFrom('written').selectAll().where('id', 'in', [-3, -4]).execute(), [])
})
