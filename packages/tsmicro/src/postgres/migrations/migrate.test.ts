import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { entry, first, migrationFolder, refused } from '../../../tests/support/migrations.ts'
import { rootMessage, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { createPostgres } from '../index.ts'

const server = await startPostgres({ ephemeral: true })
const admin = createPostgres<object>({ url: server.url })
after(async () => {
  await admin.close()
  await server.stop()
})
const setUp = (t: TestContext, files: Record<string, string>) => migrationFolder(t, admin, server.url, files)

test('applies files in order, once', async t => {
  const { postgres, write, names, location } = await setUp(t, {
    ...first,
    '0002_two.sql': entry('two'),
    '0010_ten.sql': entry('ten'),
    'README.md': 'not a migration',
  })
  assert.deepEqual(await postgres.migrate(location), { applied: ['0001_log.sql', '0002_two.sql', '0010_ten.sql'] })
  assert.deepEqual(await postgres.migrate(location), { applied: [] })
  await write({ '0011_more.sql': entry('more') })
  assert.deepEqual(await postgres.migrate(location), { applied: ['0011_more.sql'] })
  assert.deepEqual(await names(), ['two', 'ten', 'more'])
})

test('five instances at the same time apply each file once; slow migrations do not time out', async t => {
  const files: Record<string, string> = { ...first, '0002_slow.sql': 'select pg_sleep(0.4)' }
  for (let n = 3; n <= 12; n++) files[`00${String(n).padStart(2, '0')}_entry.sql`] = entry(`e${n}`)
  const { open, names, location } = await setUp(t, files)
  const reports = await Promise.all(
    Array.from({ length: 5 }, () => open({ statementTimeoutMs: 200 }).migrate(location)),
  )
  assert.equal(reports.flatMap(report => report.applied).length, 12)
  assert.equal((await names()).length, 10)
})

test('a failed migration leaves nothing behind, says where it failed, and may be fixed', async t => {
  const { postgres, write, names, location } = await setUp(t, {
    ...first,
    '0002_bad.sql': `${entry('half')}\n\ninsert into log (nme) values ('x');`,
  })
  await assert.rejects(postgres.migrate(location), refused('failed', /0002_bad\.sql failed in line 3: .*"nme"/))
  assert.deepEqual(await names(), [])
  await write({ '0002_bad.sql': entry('whole') })
  assert.deepEqual(await postgres.migrate(location), { applied: ['0002_bad.sql'] })
  assert.deepEqual(await names(), ['whole'])
})

test('a failure names file, line and statement, whatever the server reports', async t => {
  const { postgres, write, location } = await setUp(t, first)
  const cases: [text: string, expected: RegExp][] = [
    ['select 1;\n\nselect 1 / 0;\nselect 2', /0002_x\.sql failed in line 3: division by zero, in: select 1 \/ 0$/],
    [
      "select '𝒳𝒳𝒳';\n-- ö\nselect nme from log",
      /failed in line 3: column "nme" does not exist.*, in: select nme from log$/,
    ],
    ['select 1;\nselec 2;', /failed in line 2: syntax error at or near "selec", in: selec 2$/],
    [
      "do $$ begin\n raise exception using message = 'no', hint = 'do this';\nend $$",
      /failed in line 1: no \(do this\), in: do \$\$/,
    ],
    [
      'create index concurrently x on log (n)',
      /in line 1: .*cannot run inside a transaction block \(put it alone into a file that begins with the line -- tsmicro: no transaction/,
    ],
    [`select ${'1, '.repeat(100)} x`, /, in: select (1, ){31}…$/],
  ]
  for (const [text, expected] of cases) {
    await write({ '0002_x.sql': text })
    await assert.rejects(postgres.migrate(location), (error: unknown) => {
      // What a start prints
      assert.match(rootMessage(error), expected)
      return refused('failed', expected)(error)
    })
  }
  await write({ '0002_x.sql': 'select 1;\nselect pg_terminate_backend(pg_backend_pid())' })
  await assert.rejects(postgres.migrate(location), (error: unknown) => {
    assert.ok(error instanceof SERVICE_UNAVAILABLE)
    assert.match(rootMessage(error), /^migration 0002_x\.sql failed in line 2: terminating connection/)
    return true
  })
})

test('a migration’s changes to its session end with it', async t => {
  const { postgres, names, location } = await setUp(t, {
    ...first,
    '0002_dump.sql': `create role dumper; create schema aside; grant create on schema aside to dumper; set role dumper;
      select pg_catalog.set_config('search_path', '', false); set statement_timeout = '59s'; create table aside.own (n integer);`,
    '0003_next.sql': `do $$ begin if current_setting('statement_timeout') = '59s' then raise 'still set'; end if; end $$;
      create temporary table own (n integer); ${entry('next')} set search_path to aside;`,
  })
  assert.equal((await postgres.migrate(location)).applied.length, 3)
  assert.deepEqual(await names(), ['next'])
  assert.deepEqual(await postgres.migrate(location), { applied: [] })
})

test('a database of another service is reported as such', async t => {
  const { open, write, location } = await setUp(t, { ...first, '0002_two.sql': entry('two') })
  await open().migrate(location)
  await write({ '0002_two.sql': 'select 2' })
  const whose = /0002_two\.sql was applied by the service "shop": this is its database, not that of "stock"/
  await assert.rejects(open({ applicationName: 'stock' }).migrate(location), refused('foreign', whose))
  await assert.rejects(open().migrate(location), refused('changed', /restore it and write a new one/))
})

test('a history of an earlier version is taken over, and needs no rights if nothing is missing', async t => {
  const { postgres, open, write, url, location } = await setUp(t, first)
  await sql`create table schema_migrations (number integer primary key, name text not null, checksum text not null,
    applied_at timestamptz not null default now())`.execute(postgres.db)
  await sql`insert into schema_migrations values (1, '0001_other.sql', '')`.execute(postgres.db)
  const other = /0001_other\.sql was applied, and now 0001_log\.sql has its number: .* another service’s database/
  await assert.rejects(postgres.migrate(location), refused('changed', other))
  await sql`delete from schema_migrations`.execute(postgres.db)
  await postgres.migrate(location)
  const role = `reader_${process.pid}`
  await sql`create role ${sql.ref(role)} login password 'reader'`.execute(postgres.db)
  await sql`grant select on schema_migrations to ${sql.ref(role)}`.execute(postgres.db)
  const address = new URL(url)
  address.username = role
  address.password = 'reader'
  assert.deepEqual(await open({ url: address.href }).migrate(location), { applied: [] })
  await write({ '0002_two.sql': 'select 1' })
  await assert.rejects(open({ url: address.href }).migrate(location), /permission denied for table schema_migrations/)
})

test('a changed, renamed or missing file that was applied is refused', async t => {
  const { postgres, write, directory, location } = await setUp(t, { ...first, '0002_two.sql': entry('two') })
  await postgres.migrate(location)
  await write({ '0002_two.sql': entry('two').replaceAll(' ', '\r\n') })
  await assert.rejects(postgres.migrate(location), refused('changed', /0002_two\.sql/))
  await rm(join(directory, '0002_two.sql'))
  await assert.rejects(postgres.migrate(location), refused('missing', /0002_two\.sql/))
  await write({ '0002_other.sql': entry('two') })
  await assert.rejects(postgres.migrate(location), refused('changed', /0002_two\.sql/))
})

test('different line ends are not a change', async t => {
  const { postgres, write, location } = await setUp(t, first)
  await postgres.migrate(location)
  await write({ '0001_log.sql': first['0001_log.sql'].replaceAll('\n', '\r\n') })
  assert.deepEqual(await postgres.migrate(location), { applied: [] })
})

test('invalid names, duplicate numbers and late numbers are refused before anything is applied', async t => {
  const { postgres, write, directory, location } = await setUp(t, { ...first, '2_users.sql': 'select 1' })
  await assert.rejects(postgres.migrate(location), refused('name', /2_users\.sql/))
  await rm(join(directory, '2_users.sql'))
  await write({ '0003_a.sql': 'select 1', '0003_b.sql': 'select 1' })
  await assert.rejects(postgres.migrate(location), refused('duplicate', /0003_b\.sql has the number of 0003_a\.sql/))
  await rm(join(directory, '0003_b.sql'))
  assert.deepEqual(await postgres.migrate(location), { applied: ['0001_log.sql', '0003_a.sql'] })
  await write({ '0002_late.sql': 'select 1' })
  await assert.rejects(postgres.migrate(location), refused('out-of-order', /0002_late\.sql/))
})

test('without a server, migrating is unavailable and may be retried', async t => {
  const { location } = await setUp(t, first)
  const nowhere = createPostgres<object>({ url: 'postgres://app@127.0.0.1:1/app' })
  await assert.rejects(nowhere.migrate(location), SERVICE_UNAVAILABLE)
  await nowhere.close()
})
