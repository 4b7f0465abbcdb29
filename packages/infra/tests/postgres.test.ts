import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { InfraError, locatePostgres, type Server, startPostgres } from '../src/index.ts'
import { tempDir } from './support/temp.ts'

const skip = (await locatePostgres()) === undefined ? 'there is no postgres here' : false
const skipPath = (await locatePostgres(['path'])) === undefined ? 'no postgres on PATH' : false

async function query(server: Server, sql: string, url = server.url): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}

test('an ephemeral server has the database and user of its URL, and refuses a wrong password', { skip }, async () => {
  await using server = await startPostgres({ ephemeral: true, database: 'blog' })
  assert.deepEqual(await query(server, 'select current_database() d, current_user u'), [{ d: 'blog', u: 'app' }])
  const wrong = new URL(server.url)
  wrong.password = 'wrong'
  await assert.rejects(query(server, 'select 1', wrong.href), /password authentication failed/)
  const [settings] = await query(server, "select current_setting('fsync') fsync, current_setting('max_connections') n")
  assert.equal(settings?.fsync, 'off')
})

test('several servers at once have separate data', { skip }, async () => {
  const servers = await Promise.all(Array.from({ length: 3 }, () => startPostgres({ ephemeral: true })))
  try {
    for (const server of servers) await query(server, 'create table only_here (n int)')
  } finally {
    await Promise.all(servers.map(server => server.stop()))
  }
})

test('data survives kill -9, restarts and a new start; fsync is on', { skip }, async () => {
  using dir = tempDir()
  let url: string
  {
    await using server = await startPostgres({ dataDir: dir.path })
    url = server.url
    await query(server, 'create table t as select 1 n')
    server.kill('SIGKILL')
    await server.restart()
    assert.equal(server.url, url)
    await query(server, 'insert into t values (2)')
    await server.restart()
    await query(server, 'insert into t values (3)')
    await server.stop()
    await server.restart()
    assert.deepEqual(await query(server, 'select count(*)::int n, current_setting($$fsync$$) f from t'), [
      { n: 3, f: 'on' },
    ])
  }
  await using again = await startPostgres({ dataDir: dir.path, database: 'second' })
  assert.deepEqual(await query(again, 'select 1 n'), [{ n: 1 }])
  const first = new URL(again.url)
  first.pathname = '/app'
  assert.equal(first.password, new URL(url).password)
  assert.deepEqual(await query(again, 'select count(*)::int n from t', first.href), [{ n: 3 }])
  assert.equal(statSync(join(dir.path, 'cluster', 'password')).mode & 0o777, 0o600)
})

test('a pid file that names another program is ignored, but data of another version is refused', {
  skip,
}, async () => {
  using dir = tempDir()
  const data = join(dir.path, 'cluster', 'data')
  {
    await using server = await startPostgres({ dataDir: dir.path })
    server.kill('SIGKILL')
  }
  writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n`)
  {
    await using server = await startPostgres({ dataDir: dir.path })
    assert.deepEqual(await query(server, 'select 1 n'), [{ n: 1 }])
  }
  writeFileSync(join(data, 'PG_VERSION'), '13\n')
  await assert.rejects(startPostgres({ dataDir: dir.path }), (error: unknown) => {
    assert.ok(error instanceof InfraError)
    assert.match(error.message, /created by PostgreSQL 13, but this is \d+/)
    return true
  })
})

test('names that need quoting are refused', async () => {
  await assert.rejects(startPostgres({ ephemeral: true, database: 'a"; drop database app; --' }), InfraError)
})

test('a server installed on this machine works as well', { skip: skipPath }, async () => {
  await using server = await startPostgres({ ephemeral: true, sources: ['path'] })
  assert.equal(server.source, 'path')
  assert.deepEqual(await query(server, 'select current_database() d'), [{ d: 'app' }])
})
