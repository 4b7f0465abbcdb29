import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import { createPostgres, type MigrationError, type Postgres } from 'tsmicro/postgres'

export type AnyTables = Record<string, Record<string, unknown>>

let databases = 0

/** An empty database on the server of `admin`, and a directory with these files. */
export async function migrationFolder(
  t: TestContext,
  admin: Postgres<object>,
  server: string,
  files: Record<string, string>,
) {
  const database = `migrations_${process.pid}_${++databases}`
  await sql`create database ${sql.ref(database)}`.execute(admin.db)
  const directory = await mkdtemp(join(tmpdir(), 'migrations-'))
  const url = server.replace(/\/[^/]*$/, `/${database}`)
  const open = (options: Partial<Parameters<typeof createPostgres>[0]> = {}) => {
    const postgres = createPostgres<AnyTables>({ url, applicationName: 'shop', ...options })
    t.after(() => postgres.close())
    return postgres
  }
  const write = (more: Record<string, string | Buffer>) =>
    Promise.all(Object.entries(more).map(([name, text]) => writeFile(join(directory, name), text)))
  t.after(() => rm(directory, { recursive: true }))
  await write(files)
  const postgres = open()
  const names = async () => (await postgres.db.selectFrom('log').select('name').orderBy('n').execute()).map(r => r.name)
  return { postgres, open, write, names, url, database, directory, location: pathToFileURL(directory) }
}

export const refused = (reason: MigrationError['reason'], text: RegExp) => (error: unknown) => {
  assert.equal((error as MigrationError).name, 'MigrationError')
  assert.equal((error as MigrationError).reason, reason)
  assert.match(String(error), text)
  return true
}

export const first = {
  '0001_log.sql': 'create table log (n serial primary key, name text);\n-- more than one statement\n',
}
export const entry = (name: string) => `insert into log (name) values ('${name}'); select 1;`
