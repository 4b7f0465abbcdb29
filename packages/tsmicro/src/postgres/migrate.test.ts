import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { createPostgres, type MigrationError, type MigrationProblem } from './index.ts'

const server = await startPostgres({ ephemeral: true })
const admin = createPostgres<object>({ url: server.url })
after(async () => {
  await admin.close()
  await server.stop()
})
let databases = 0

/** An empty database and a directory with these files. */
async function setUp(t: TestContext, files: Record<string, string>) {
  const database = `migrations_${++databases}`
  await sql`create database ${sql.ref(database)}`.execute(admin.db)
  const directory = await mkdtemp(join(tmpdir(), 'migrations-'))
  const url = server.url.replace(/\/[^/]*$/, `/${database}`)
  const open = () => {
    const postgres = createPostgres<Record<string, Record<string, unknown>>>({ url, statementTimeoutMs: 200 })
    t.after(() => postgres.close())
    return postgres
  }
  const write = (more: Record<string, string>) =>
    Promise.all(Object.entries(more).map(([name, text]) => writeFile(join(directory, name), text)))
  t.after(() => rm(directory, { recursive: true }))
  await write(files)
  const postgres = open()
  const names = async () => (await postgres.db.selectFrom('log').select('name').orderBy('n').execute()).map(r => r.name)
  return { postgres, open, write, names, directory, location: pathToFileURL(directory) }
}

const refused = (reason: MigrationProblem, text: RegExp) => (error: unknown) => {
  assert.equal((error as MigrationError).name, 'MigrationError')
  assert.equal((error as MigrationError).reason, reason)
  assert.match(String(error), text)
  return true
}

const first = { '0001_log.sql': 'create table log (n serial primary key, name text);\n-- more than one statement\n' }
const entry = (name: string) => `insert into log (name) values ('${name}'); select 1;`

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

test('five instances at once apply each file once; slow migrations are no time-out', async t => {
  const files: Record<string, string> = { ...first, '0002_slow.sql': 'select pg_sleep(0.4)' }
  for (let n = 3; n <= 12; n++) files[`00${String(n).padStart(2, '0')}_entry.sql`] = entry(`e${n}`)
  const { open, names, location } = await setUp(t, files)
  const reports = await Promise.all(Array.from({ length: 5 }, () => open().migrate(location)))
  assert.equal(reports.flatMap(report => report.applied).length, 12)
  assert.equal((await names()).length, 10)
})

test('a migration that fails leaves nothing behind, says where, and may be mended', async t => {
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

test('other line ends are no change', async t => {
  const { postgres, write, location } = await setUp(t, first)
  await postgres.migrate(location)
  await write({ '0001_log.sql': first['0001_log.sql'].replaceAll('\n', '\r\n') })
  assert.deepEqual(await postgres.migrate(location), { applied: [] })
})

test('names of other forms, equal numbers and late numbers are refused before anything is applied', async t => {
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

test('without a server, migrating is unavailable: to be tried again', async t => {
  const { location } = await setUp(t, first)
  const nowhere = createPostgres<object>({ url: 'postgres://app@127.0.0.1:1/app' })
  await assert.rejects(nowhere.migrate(location), SERVICE_UNAVAILABLE)
  await nowhere.close()
})
