import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { type Generated, sql } from 'kysely'
import { DEADLINE_EXCEEDED, isDependencyFailure, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createPostgres, isCheckViolation, isForeignKeyViolation, isUniqueViolation } from './index.ts'
import type { PostgresOptions } from './postgres.ts'

interface Tables {
  users: { id: Generated<number>; email: string; points: number; friend: number | null }
}

const server = await startPostgres({ ephemeral: true })
const postgres = createPostgres<Tables>({ url: server.url, applicationName: 'suite' })
await postgres.connect()
await sql`create table users (
  id integer generated always as identity primary key,
  email text not null constraint users_email unique,
  points integer not null default 0 constraint users_points check (points >= 0),
  friend integer constraint users_friend references users
)`.execute(postgres.db)
after(async () => {
  await postgres.close()
  await server.stop()
})

/** Another one with other options, closed at the end of the scope. */
function open(options: Partial<PostgresOptions>) {
  const opened = createPostgres<Tables>({ url: server.url, ...options })
  return { ...opened, [Symbol.asyncDispose]: () => opened.close() }
}

/** Repeats the operation while it is unavailable. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isDependencyFailure(error) || attempt === 600) throw error
    }
  }
}

const add = (email: string, points = 0) =>
  postgres.db.insertInto('users').values({ email, points }).returning('id').executeTakeFirstOrThrow()

test('runs queries, and sends its name to the server', async () => {
  const { id } = await add('ann@x')
  const row = await postgres.db.selectFrom('users').select('email').where('id', '=', id).executeTakeFirst()
  assert.deepEqual(row, { email: 'ann@x' })
  const { rows } = await sql<{ name: string }>`select current_setting('application_name') as name`.execute(postgres.db)
  assert.equal(rows[0]?.name, 'suite')
  await postgres.check()
})

test('violated constraints are recognised by name', async () => {
  await add('bob@x')
  await assert.rejects(add('bob@x'), error => {
    assert.ok(isUniqueViolation(error))
    assert.ok(isUniqueViolation(error, 'users_email'))
    assert.ok(!isUniqueViolation(error, 'users_pkey'))
    assert.ok(!isCheckViolation(error))
    return true
  })
  await assert.rejects(add('eve@x', -1), error => isCheckViolation(error, 'users_points'))
  const lonely = postgres.db.insertInto('users').values({ email: 'f@x', points: 0, friend: 9999 }).execute()
  await assert.rejects(lonely, error => isForeignKeyViolation(error, 'users_friend'))
  assert.ok(!isUniqueViolation(new Error('other')))
  assert.ok(!isUniqueViolation(undefined))
})

test('a transaction is committed if its function returns, and rolled back if it throws', async () => {
  await postgres.transaction(trx => trx.insertInto('users').values({ email: 'kept@x', points: 1 }).execute())
  const refused = new Error('changed my mind')
  const undone = postgres.transaction(async trx => {
    await trx.insertInto('users').values({ email: 'undone@x', points: 1 }).execute()
    throw refused
  })
  await assert.rejects(undone, refused)
  const rows = await postgres.db.selectFrom('users').select('email').where('points', '=', 1).execute()
  assert.deepEqual(rows, [{ email: 'kept@x' }])
})

test('a unique violation inside a transaction is recognised outside', async () => {
  await add('dup@x')
  const work = postgres.transaction(trx => trx.insertInto('users').values({ email: 'dup@x', points: 0 }).execute())
  await assert.rejects(work, error => isUniqueViolation(error, 'users_email'))
})

test('conflicting transactions are repeated on request, and unavailable otherwise', async () => {
  const clash = async (retries: number) => {
    const both = Promise.withResolvers<void>()
    let arrived = 0
    let runs = 0
    const rivals = ['p', 'q'].map(name =>
      postgres.transaction(
        async trx => {
          runs++
          await trx.selectFrom('users').select(sql`sum(points)`.as('total')).execute()
          if (++arrived === 2) both.resolve()
          await both.promise
          await trx
            .insertInto('users')
            .values({ email: `${name}${retries}@x`, points: 5 })
            .execute()
        },
        { isolation: 'serializable', retries },
      ),
    )
    return { results: await Promise.allSettled(rivals), runs }
  }
  const repeated = await clash(5)
  assert.deepEqual(
    repeated.results.map(result => result.status),
    ['fulfilled', 'fulfilled'],
  )
  assert.ok(repeated.runs >= 3)
  const once = await clash(0)
  const lost = once.results.filter(result => result.status === 'rejected')
  assert.equal(once.runs, 2)
  assert.equal(lost.length, 1)
  assert.ok(lost[0]?.reason instanceof SERVICE_UNAVAILABLE)
})

test('a statement that takes too long exceeds its deadline, and its connection stays usable', async () => {
  await using slow = open({ statementTimeoutMs: 50, poolSize: 1 })
  const session = sql<{ pid: number }>`select pg_backend_pid() as pid`
  // On a busy machine anything may take longer than that.
  const pid = async () => (await untilDone(() => session.execute(slow.db))).rows
  const before = await pid()
  await assert.rejects(sql`select pg_sleep(30)`.execute(slow.db), DEADLINE_EXCEEDED)
  assert.deepEqual(await pid(), before)
})

test('a pool without a free connection is unavailable', async () => {
  await using small = open({ poolSize: 1, connectTimeoutMs: 50 })
  // The limit also applies to making the connection, which on a busy machine sometimes takes longer.
  await untilDone(() => small.connect())
  const hold = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const holder = small.transaction(async trx => {
    await sql`select 1`.execute(trx)
    held.resolve()
    await hold.promise
  })
  await held.promise
  await assert.rejects(small.db.selectFrom('users').selectAll().execute(), SERVICE_UNAVAILABLE)
  hold.resolve()
  await holder
  assert.ok(await small.db.selectFrom('users').selectAll().execute())
})

test('programming errors are returned unchanged', async () => {
  await assert.rejects(sql`select nonsense`.execute(postgres.db), { code: '42703' })
  const missing = sql`select * from nowhere`.execute(postgres.db)
  await assert.rejects(missing, { code: '42P01' })
})

test('statements that lost to another transaction are unavailable, alone and in a transaction', async () => {
  const ids = [await add('left@x'), await add('right@x')].map(({ id }) => id)
  const both = Promise.withResolvers<void>()
  let arrived = 0
  const arrive = () => (++arrived === 2 ? both.resolve() : both.promise)
  const touch = (id = 0) => sql`update users set points = points + 1 where id = ${id}`
  const inTurn = (one?: number, other?: number) =>
    postgres.transaction(async trx => {
      await touch(one).execute(trx)
      await arrive()
      await touch(other).execute(trx)
    })
  const results = await Promise.allSettled([inTurn(ids[0], ids[1]), inTurn(ids[1], ids[0])])
  const lost = results.filter(result => result.status === 'rejected')
  assert.equal(lost.length, 1)
  assert.ok(lost[0]?.reason instanceof SERVICE_UNAVAILABLE)
  // A single statement is a transaction too.
  const alone = sql`do $$ begin raise exception 'deadlock' using errcode = '40P01'; end $$`.execute(postgres.db)
  await assert.rejects(alone, SERVICE_UNAVAILABLE)
  const locked = postgres.transaction(async trx => {
    await touch(ids[0]).execute(trx)
    await sql`select 1 from users where id = ${ids[0]} for update nowait`.execute(postgres.db)
  })
  await assert.rejects(locked, SERVICE_UNAVAILABLE)
})

test('a server without space is unavailable', async () => {
  const options = encodeURIComponent('-c temp_file_limit=64kB -c work_mem=64kB')
  await using full = open({ url: `${server.url}?options=${options}` })
  const large = sql`select n from generate_series(1, 100000) n order by md5(n::text)`.execute(full.db)
  await assert.rejects(large, (error: unknown) => {
    assert.ok(error instanceof SERVICE_UNAVAILABLE)
    assert.match(String(error.cause), /temporary file size exceeds/)
    return true
  })
  await full.check()
})

test('a missing server is unavailable, with the reason as cause', async () => {
  await using nowhere = open({ url: 'postgres://app@127.0.0.1:1/app' })
  for (const attempt of [nowhere.connect(), nowhere.check(), sql`select 1`.execute(nowhere.db)]) {
    await assert.rejects(attempt, error => {
      assert.ok(error instanceof SERVICE_UNAVAILABLE)
      assert.match(String(Reflect.get(error.cause ?? {}, 'code')), /ECONNREFUSED/)
      return true
    })
  }
})

test('close may be repeated; a query after it is unavailable', async () => {
  const closed = createPostgres<Tables>({ url: server.url })
  await closed.connect()
  await Promise.all([closed.close(), closed.close()])
  await closed.close()
  await assert.rejects(sql`select 1`.execute(closed.db), SERVICE_UNAVAILABLE)
})
