import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { entry, first, migrationFolder, refused } from '../../../tests/support/migrations.ts'
import { createPostgres } from '../index.ts'

const server = await startPostgres({ ephemeral: true })
const admin = createPostgres<object>({ url: server.url })
after(async () => {
  await admin.close()
  await server.stop()
})
const setUp = (t: TestContext, files: Record<string, string>) => migrationFolder(t, admin, server.url, files)

const marked = (text: string) => `-- tsmicro: no transaction\n${text}`
const index = marked('create index concurrently by_name on log (name);')
const unique = marked('-- why\ncreate unique index concurrently by_name on log (name)')

/** Sessions of a database that run a statement which contains the text. */
async function running(database: string, text: string): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`select pid from pg_stat_activity
    where datname = ${database} and state = 'active' and query like ${`%${text}%`} and pid <> pg_backend_pid()`.execute(
    admin.db,
  )
  return rows.map(row => row.pid)
}

test('COMMIT and similar statements are refused before anything runs, savepoints are not', async t => {
  const { postgres, write, names, location } = await setUp(t, { ...first, '0002_fine.sql': entry('fine') })
  const statement = `${entry('half')}\n/* ; */ COMMIT;\n${entry('rest')} select nonsense;`
  for (const [text, why] of [
    [statement, 'a migration already is a transaction'],
    [`${marked('')}${statement}`, 'without a transaction every statement runs on its own'],
  ]) {
    await write({ '0003_commits.sql': text ?? '' })
    const where = new RegExp(`0003_commits\\.sql has COMMIT in line \\d: ${why}`)
    await assert.rejects(postgres.migrate(location), refused('transaction', where))
  }
  await assert.rejects(names(), { code: '42P01' })
  const back = `${entry('a')} savepoint s; ${entry('b')} rollback to savepoint s; select 'commit; x', $$; commit;$$;`
  await write({ '0003_commits.sql': back })
  await postgres.migrate(location)
  assert.deepEqual(await names(), ['fine', 'a'])
  // A routine cannot commit inside a transaction: it fails as a whole.
  await write({ '0004_do.sql': `${entry('c')} do $$ begin commit; end $$` })
  await assert.rejects(
    postgres.migrate(location),
    refused('failed', /0004_do\.sql failed in line 1: invalid transaction term/),
  )
  assert.deepEqual(await names(), ['fine', 'a'])
})

test('a migration that ends its transaction in a way that only the server understands does not count as applied', async t => {
  const { open, write, names, database, location } = await setUp(t, first)
  await open().migrate(location)
  await sql`alter database ${sql.ref(database)} set standard_conforming_strings = off`.execute(admin.db)
  const hidden = String.raw`${entry('half')} select 'x\''; commit; select '1';`
  for (const text of [hidden, String.raw`${entry('half')} select 'x\''; commit; select nonsense; --';`]) {
    const postgres = open()
    await write({ '0002_hidden.sql': text })
    await assert.rejects(postgres.migrate(location), /0002_hidden\.sql/)
    await assert.rejects(
      postgres.migrate(location),
      refused('unfinished', /was begun .* did not finish: migration 0002/),
    )
    await sql`delete from schema_migrations where number = 2`.execute(postgres.db)
  }
  assert.deepEqual(await names(), ['half', 'half'])
})

/** A proxy that forwards each message of a server separately, as on a slow network. */
async function messageByMessage(url: string): Promise<AsyncDisposable & { readonly url: string }> {
  const { port, hostname } = new URL(url)
  const proxy = createServer(async client => {
    const upstream = connect(Number(port), hostname)
    client.setNoDelay()
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream)
    try {
      let waiting = Buffer.alloc(0)
      for await (const chunk of upstream) {
        waiting = Buffer.concat([waiting, chunk])
        while (waiting.length >= 5 && waiting.length > waiting.readUInt32BE(1)) {
          const end = waiting.readUInt32BE(1) + 1
          client.write(waiting.subarray(0, end))
          waiting = waiting.subarray(end)
          await sleep(2)
        }
      }
    } catch {
      // The client has left.
    }
    client.end()
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const slow = new URL(url)
  slow.port = String((proxy.address() as AddressInfo).port)
  slow.searchParams.set('sslmode', 'disable')
  return { url: slow.href, [Symbol.asyncDispose]: async () => void proxy.close() }
}

test('the state of a failed migration’s transaction is read once the server has reported it', async t => {
  const { open, write, url, database, location } = await setUp(t, first)
  await open().migrate(location)
  await sql`alter database ${sql.ref(database)} set standard_conforming_strings = off`.execute(admin.db)
  await write({ '0002_hidden.sql': String.raw`${entry('half')} select 'x\''; commit; select nonsense; --';` })
  await using slow = await messageByMessage(url)
  await assert.rejects(open({ url: slow.url }).migrate(location), /0002_hidden\.sql/)
  await assert.rejects(open().migrate(location), refused('unfinished', /did not finish: migration 0002/))
})

test('without a transaction: an index is built concurrently, by one of many instances that start at the same time', async t => {
  const files = {
    ...first,
    '0002_rows.sql': entry('x').repeat(50),
    '0003_index.sql': index,
    '0004_more.sql': entry('more'),
  }
  const { postgres, open, location } = await setUp(t, files)
  const reports = await Promise.all(Array.from({ length: 5 }, () => open({ poolSize: 1 }).migrate(location)))
  assert.equal(reports.flatMap(({ applied }) => applied).length, 4)
  const { rows } = await sql`select indisvalid from pg_index where indexrelid = 'by_name'::regclass`.execute(
    postgres.db,
  )
  assert.deepEqual(rows, [{ indisvalid: true }])
  assert.deepEqual(await postgres.migrate(location), { applied: [] })
  // Its text is checked like any other.
  const { rows: states } = await sql`select distinct state, service from schema_migrations`.execute(postgres.db)
  assert.deepEqual(states, [{ state: 'applied', service: 'shop' }])
})

test('instances that start while it runs wait for it, and it does not wait for them', async t => {
  const { postgres, open, write, names, database, location } = await setUp(t, first)
  await postgres.migrate(location)
  await write({ '0002_index.sql': index, '0003_more.sql': entry('more') })
  const release = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  // Somebody's open transaction, for which the index waits
  const holder = postgres.transaction(async trx => {
    await sql`insert into log (name) values ('held')`.execute(trx)
    held.resolve()
    await release.promise
  })
  await held.promise
  const builder = open().migrate(location)
  while ((await running(database, 'create index concurrently')).length === 0) await sleep(10)
  const later = [open(), open()].map(other => other.migrate(location))
  // They keep polling.
  const asking = async () =>
    (
      await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
    where datname = ${database} and application_name = 'shop' and query = 'rollback'`.execute(admin.db)
    ).rows[0]?.n
  while (((await asking()) ?? 0) < 2) await sleep(10)
  release.resolve()
  await holder
  const reports = await Promise.all([builder, ...later])
  assert.deepEqual(reports[0].applied[0], '0002_index.sql')
  assert.equal(reports.flatMap(({ applied }) => applied).length, 2)
  assert.deepEqual(await names(), ['held', 'more'])
})

test('a migration that fails halfway says what to do, and is not run again until that is done', async t => {
  const { postgres, names, write, location } = await setUp(t, {
    ...first,
    '0002_twice.sql': entry('x').repeat(2),
    '0003_unique.sql': unique,
  })
  const failed = /0003_unique\.sql failed in line 3: could not create unique index "by_name", in: create unique index/
  await assert.rejects(postgres.migrate(location), refused('failed', failed))
  const explained =
    /0003_unique\.sql was begun 20.* could not create unique index "by_name".*\. It left invalid indexes, which should be dropped: by_name\. .*: delete from public\.schema_migrations where number = 3; .*: update public\.schema_migrations set state = 'applied' where number = 3/
  await write({ '0003_unique.sql': `${unique};`, '0004_more.sql': entry('more') })
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(postgres.migrate(location), refused('unfinished', explained))
  }
  for (const each of [
    'drop index by_name',
    'delete from log where n = 2',
    'delete from public.schema_migrations where number = 3',
  ]) {
    await sql.raw(each).execute(postgres.db)
  }
  assert.deepEqual(await postgres.migrate(location), { applied: ['0003_unique.sql', '0004_more.sql'] })
  assert.deepEqual(await names(), ['x', 'more'])
})

test('a migration that was refused before it did anything is simply run again once it is fixed', async t => {
  const { postgres, write, names, location } = await setUp(t, {
    ...first,
    '0002_bad.sql': marked('create index concurrently i on log (nme)'),
  })
  await assert.rejects(
    postgres.migrate(location),
    refused('failed', /0002_bad\.sql failed in line 2: column "nme" does not exist/),
  )
  await write({ '0002_bad.sql': marked(`${entry('one')}\nvacuum log;\ninsert into nowhere values (1)`) })
  await assert.rejects(
    postgres.migrate(location),
    refused('failed', /failed in line 4: relation "nowhere" does not exist/),
  )
  // That is different for later statements: those before them were executed.
  await assert.rejects(
    postgres.migrate(location),
    refused('unfinished', /in line 4: relation "nowhere".*\. Check how much/),
  )
  await sql`update schema_migrations set state = 'applied' where number = 2`.execute(postgres.db)
  await write({ '0003_more.sql': entry('more') })
  await write({ '0002_bad.sql': marked('select 1') })
  await assert.rejects(postgres.migrate(location), refused('changed', /0002_bad/))
  assert.deepEqual(await names(), ['one'])
})

test('a migration whose session was ended, or whose instance died, is recorded as begun', async t => {
  const { open, write, database, location } = await setUp(t, first)
  await open().migrate(location)
  await write({ '0002_long.sql': marked("select 'long', pg_sleep(600)") })
  const end = (pid: number) => sql`select pg_terminate_backend(${pid})`.execute(admin.db)
  for (const whole of [false, true]) {
    const migrating = assert.rejects(open().migrate(location), /SERVICE_UNAVAILABLE/)
    while ((await running(database, 'pg_sleep')).length === 0) await sleep(10)
    const [pid = 0] = await running(database, 'pg_sleep')
    const others = await sql<{ pid: number }>`select pid from pg_stat_activity
      where datname = ${database} and state = 'idle in transaction'`.execute(admin.db)
    // The connection that holds the lock ends first, as if the whole instance had died.
    if (whole) for (const other of others.rows) await end(other.pid)
    await end(pid)
    await migrating
    const next = open()
    const why = whole ? /the reason is unknown/ : /terminating connection due to administrator command/
    await assert.rejects(next.migrate(location), refused('unfinished', why))
    await sql`delete from schema_migrations where number = 2`.execute(next.db)
  }
})

test('a misspelled or misplaced marker is not ignored', async t => {
  const { postgres, write, location } = await setUp(t, first)
  const cases: [text: string, expected: RegExp][] = [
    [
      '-- tsmicro: no-transaction\nselect 1',
      /says -- tsmicro: no-transaction in line 1: the only marker is -- tsmicro: no transaction/,
    ],
    ['select 1;\n--tsmicro: no transaction', /in line 2: the only marker is/],
    ['select 1;\n-- tsmicro: no transaction\nselect 2', /in line 2: put it above all statements/],
  ]
  for (const [text, expected] of cases) {
    await write({ '0002_x.sql': text })
    await assert.rejects(postgres.migrate(location), refused('marker', expected))
  }
  await write({ '0002_x.sql': "-- why\n\n-- tsmicro: no transaction\nselect '\n-- tsmicro: x\n'; vacuum log" })
  assert.deepEqual(await postgres.migrate(location), { applied: ['0001_log.sql', '0002_x.sql'] })
})

test('psql commands and text that is not UTF-8 are reported before anything runs', async t => {
  const { postgres, write, names, location } = await setUp(t, first)
  const copy = `${entry('a')}\nCOPY public.log (name) FROM stdin;\nb\n\\.\n`
  for (const [text, problem, why] of [
    [`\\restrict x\n${entry('a')}`, 'psql', /has \\restrict in line 1: this is a psql command/],
    [`${entry('a')}\n\\i other.sql`, 'psql', /has \\i in line 2/],
    [copy, 'psql', /has COPY … FROM STDIN in line 2: .*INSERT/],
    [Buffer.from(`\uFEFF${entry('a')}`, 'utf16le'), 'encoding', /is not UTF-8/],
    [Buffer.from(entry('ä'), 'latin1'), 'encoding', /is not UTF-8/],
  ] as const) {
    await write({ '0002_dump.sql': text })
    await assert.rejects(postgres.migrate(location), refused(problem, why))
  }
  await write({ '0002_dump.sql': `${entry('x from stdin')} copy (select 'from stdin') to stdout;` })
  await postgres.migrate(location)
  assert.deepEqual(await names(), ['x from stdin'])
})

test('a value that must be committed first, or a SET that comes too late, is reported with advice', async t => {
  const { postgres, write, location } = await setUp(t, { ...first, '0002_type.sql': "create type e as enum ('a');" })
  await write({ '0003_add.sql': "alter type e add value 'b';\nselect 'b'::e;" })
  await assert.rejects(postgres.migrate(location), refused('failed', /in line 2: unsafe .*next file\), in: select/))
  await write({ '0003_add.sql': 'set transaction isolation level serializable;' })
  await assert.rejects(postgres.migrate(location), refused('failed', /must be called before any query, in: set/))
})
