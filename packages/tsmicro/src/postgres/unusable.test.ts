import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { RecordedLog } from '../../tests/support/log.ts'
import { SERVICE_UNAVAILABLE, unusableIn } from '../errors/index.ts'
import { createService } from '../micro/index.ts'
import { createPostgres } from './index.ts'

const directory = await mkdtemp(join(tmpdir(), 'postgres-unusable-'))
const hba = join(directory, 'hba')
// A password by every method that PostgreSQL has.
const rules = `
  host  all  rejected  127.0.0.1/32  reject
  host  all  md5er     127.0.0.1/32  md5
  host  all  clear     127.0.0.1/32  password
  host  all  all       127.0.0.1/32  scram-sha-256
`
await writeFile(hba, rules, { mode: 0o600 })
const server = await startPostgres({ ephemeral: true, extraArgs: ['-c', `hba_file=${hba}`] })
const admin = createPostgres<object>({ url: server.url, poolSize: 1 })
await sql`create role md5er login`.execute(admin.db)
await sql`create role clear login password 'right'`.execute(admin.db)
await sql`create role few login password 'right' connection limit 2`.execute(admin.db)
await sql`create role rejected login`.execute(admin.db)
await sql`create role asleep nologin password 'right'`.execute(admin.db)
await sql`create database closed`.execute(admin.db)
await sql`revoke connect on database closed from public`.execute(admin.db)
after(async () => {
  await admin.close()
  await server.stop()
  await rm(directory, { recursive: true })
})

interface Changes {
  readonly user?: string
  readonly password?: string
  readonly database?: string
  readonly query?: string
}

function url({ user, password, database, query = '' }: Changes): string {
  const changed = new URL(server.url)
  if (user !== undefined) changed.username = user
  if (password !== undefined) changed.password = password
  if (database !== undefined) changed.pathname = database
  return changed.href + query
}

async function failure(address: string): Promise<unknown> {
  const postgres = createPostgres<object>({ url: address })
  try {
    // A later request gets the same error as for every dependency.
    await assert.rejects(sql`select 1`.execute(postgres.db), SERVICE_UNAVAILABLE)
    await postgres.connect()
    return undefined
  } catch (error) {
    return error
  } finally {
    await postgres.close()
  }
}

test('permanent problems are reported as such, with advice', async () => {
  const cases: [address: string, expected: RegExp][] = [
    [url({ database: 'nowhere' }), /"nowhere" does not exist: create the database "nowhere", or correct its name/],
    [
      url({ password: 'wrong' }),
      /password authentication failed for user "app": check user "app" and password in its URL/,
    ],
    [url({ user: 'nobody' }), /failed for user "nobody": check user "nobody"/],
    [url({ password: '' }), /password must be a .*string: check the password in its URL/],
    [url({ user: 'md5er', password: 'wrong' }), /failed for user "md5er"/],
    [url({ user: 'md5er', password: '' }), /failed for user "md5er"|password/],
    [url({ user: 'clear', password: 'wrong' }), /failed for user "clear"/],
    [url({ user: 'clear', password: '' }), /(?:empty password|failed).*: check user "clear"/],
    [url({ user: 'rejected' }), /pg_hba\.conf rejects.*: check user "rejected"/],
    [url({ user: 'asleep', password: 'right' }), /not permitted to log in: check user "asleep"/],
    [
      url({ user: 'clear', password: 'right', database: 'closed' }),
      /permission denied for database "closed": user "clear" and database "closed"/,
    ],
    [url({ query: '?options=-c%20nonsense%3D1' }), /unrecognized configuration parameter "nonsense"/],
    ['postgres://app:pa/ss@127.0.0.1:5432/app', /URL of PostgreSQL cannot be read: use postgres:\/\/user/],
    ['postgres://one:1,two:2/app', /URL of PostgreSQL cannot be read/],
    ['mongodb://app:pw@127.0.0.1:5432/app', /URL of PostgreSQL cannot be read/],
    ['127.0.0.1:5432/app', /URL of PostgreSQL cannot be read/],
    ['postgres://app:p@pa/ss@127.0.0.1:5432/app', /URL of PostgreSQL cannot be read/],
  ]
  for (const [address, expected] of cases) {
    const error = await failure(address)
    assert.ok(error instanceof SERVICE_UNAVAILABLE, address)
    assert.match(unusableIn(error)?.message ?? `waits: ${error.cause}`, expected)
    assert.doesNotMatch(unusableIn(error)?.message ?? '', /pa\/ss/)
  }
})

test('a service whose database is missing does not wait for it', async () => {
  const postgres = createPostgres<object>({ url: url({ database: 'nowhere' }) })
  const module = { dependencies: [postgres], controllers: [] }
  const service = createService({ name: 'lost', version: '1.0.0', module, log: new RecordedLog() })
  await assert.rejects(service.start(), (error: Error) => {
    assert.equal(error.name, 'StartError')
    assert.match(
      error.message,
      /^postgres cannot be used: PostgreSQL at 127.*"nowhere" does not exist: create the database/,
    )
    return true
  })
})

test('temporary problems are waited for: no server, an unknown host, no free connection slot', async () => {
  const full = createPostgres<object>({ url: url({ user: 'few', password: 'right' }), poolSize: 10 })
  const naps = Array.from({ length: 10 }, () => sql`select pg_sleep(0.3)`.execute(full.db))
  const results = await Promise.allSettled(naps)
  await full.close()
  const refused = results.filter(result => result.status === 'rejected').map(result => result.reason)
  assert.ok(refused.length > 0)
  const missing = ['postgres://app@127.0.0.1:1/app', 'postgres://app@host.invalid/app']
  for (const error of [...refused, ...(await Promise.all(missing.map(failure)))]) {
    assert.ok(error instanceof SERVICE_UNAVAILABLE)
    assert.equal(unusableIn(error), undefined)
  }
})
