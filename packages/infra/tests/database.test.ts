import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPostgresDatabase, InfraError, postgresDatabaseUrl, startPostgres } from '@tsmicro/infra'
import pg from 'pg'

const server = await startPostgres({ ephemeral: true })
after(() => server.stop())

test('a database of its own is created once, whoever asks at the same time', async () => {
  await Promise.all(Array.from({ length: 5 }, () => createPostgresDatabase(server.url, 'orders')))
  await createPostgresDatabase(server.url, 'orders')
  const client = new pg.Client({ connectionString: postgresDatabaseUrl(server.url, 'orders') })
  await client.connect()
  const { rows } = await client.query('SELECT current_database() AS name')
  await client.end()
  assert.deepEqual(rows, [{ name: 'orders' }])
})

test('a name that would need quoting, and a user who may not, are refused', async () => {
  for (const name of ['', 'Orders', 'a-b', 'a"; DROP DATABASE app; --', 'x'.repeat(64)]) {
    assert.throws(() => postgresDatabaseUrl(server.url, name), InfraError)
    await assert.rejects(createPostgresDatabase(server.url, name), InfraError)
  }
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query("CREATE ROLE guest LOGIN PASSWORD 'guest'")
  await client.end()
  const guest = new URL(server.url)
  guest.username = guest.password = 'guest'
  await assert.rejects(
    createPostgresDatabase(guest.href, 'more'),
    /The database more cannot be created: permission denied/,
  )
})
