import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startNats, startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { until } from '../support/until.ts'
import { shop, streamReader } from './outbox-shop.ts'

const folder = await mkdtemp(join(tmpdir(), 'tsmicro-erase-'))
const [postgres, nats] = await Promise.all([startPostgres({ ephemeral: true }), startNats({ dataDir: folder })])
const urls = { postgresUrl: postgres.url, natsUrl: nats.url }
const reader = await streamReader(urls.natsUrl)
after(async () => {
  await Promise.all([reader.nats.close(), postgres.stop(), nats.stop()])
  await rm(folder, { recursive: true, force: true })
})

/** A shop whose relay can be made to fail after it has published, as if its process died there. */
async function started() {
  const relay = { dies: false }
  const app = shop(urls, {
    wrap: store => {
      const relaying = store.relay.bind(store)
      return Object.assign(store, {
        relay: (...[send, limit, more]: Parameters<typeof relaying>) =>
          relaying(
            async (events, lasts) => {
              const numbers = await send(events, lasts)
              if (relay.dies) throw new Error('it died')
              return numbers
            },
            limit,
            more,
          ),
      })
    },
  })
  await app.service.start()
  const kept = async (id: string) =>
    (await sql`SELECT 1 FROM tsmicro_outbox WHERE aggregate_id = ${id} AND data IS NOT NULL`.execute(app.postgres.db))
      .rows.length
  return { app, relay, kept }
}

test('what has just been committed is erased as well', async () => {
  const { app, kept } = await started()
  await using _ = app
  const id = randomUUID()
  for (let round = 1; round <= 5; round++) {
    await app.change(id, 'private')
    await app.outbox.erase('order', id)
    assert.deepEqual([await reader.numbers(id), await kept(id)], [[], 0])
  }
})

test('no copy stays in the stream if a relay dies before it has marked what it sent; until then nothing is erased', async () => {
  const { app, relay, kept } = await started()
  await using _ = app
  const id = randomUUID()
  await app.change(id, 'private')
  await until('it is sent', async () => (await reader.numbers(id)).length === 1)
  relay.dies = true
  await app.change(id, 'more')
  await until('it is sent, too', async () => (await reader.numbers(id)).length === 2)
  await assert.rejects(app.outbox.erase('order', id), (error: Error) => {
    assert.ok(error instanceof SERVICE_UNAVAILABLE)
    assert.equal(error.message, `nothing is erased of order ${id}: its last event is not sent yet; try again later`)
    return true
  })
  assert.deepEqual([await reader.numbers(id), await kept(id)], [[1, 2], 2])
  const erased = app.outbox.erase('order', id)
  relay.dies = false
  await erased
  assert.deepEqual([await reader.numbers(id), await kept(id)], [[], 0])
})

test('a transaction that is adding an event is not waited for without end', async () => {
  const { app, kept } = await started()
  await using _ = app
  const id = randomUUID()
  await app.change(id, 'private')
  const [added, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const long = app.postgres.transaction(async tx => {
    await sql`SELECT 1 FROM tsmicro_outbox_aggregates WHERE aggregate_id = ${id} FOR UPDATE`.execute(tx)
    added.resolve()
    await end.promise
  })
  await added.promise
  await assert.rejects(app.outbox.erase('order', id), SERVICE_UNAVAILABLE)
  assert.equal(await kept(id), 1)
  end.resolve()
  await long
  await app.outbox.erase('order', id)
  assert.equal(await kept(id), 0)
})

test('an erasure that is repeated after the stream was lost deletes nothing of others', async () => {
  const { app, kept } = await started()
  await using _ = app
  const [id, other] = [randomUUID(), randomUUID()]
  await app.change(id, 'private')
  await until('it is sent', async () => (await reader.numbers(id)).length === 1)
  await app.outbox.erase('order', id)
  await app.change(other, 'public')
  await until('it is sent', async () => (await reader.numbers(other)).length === 1)
  nats.kill('SIGKILL')
  await rm(join(folder, 'jetstream'), { recursive: true, force: true })
  await nats.restart()
  await until('the stream is filled again', async () => (await reader.numbers(other)).length === 1)
  await until('it is erased', () =>
    app.outbox.erase('order', id).then(
      () => true,
      () => false,
    ),
  )
  assert.deepEqual([await reader.numbers(other), await kept(id)], [[1], 0])
})
