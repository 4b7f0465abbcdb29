import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startNats, startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { on } from 'tsmicro'
import { createPostgres } from 'tsmicro/postgres'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { orderChanged, shop } from './outbox-shop.ts'

const [server, nats] = await Promise.all([startPostgres({ ephemeral: true }), startNats({ ephemeral: true })])
after(() => Promise.all([server.stop(), nats.stop()]))
const urls = { postgresUrl: server.url, natsUrl: nats.url }

test('an aggregate that ended long ago leaves no row, at its source and at its consumers, and may come back', async () => {
  const postgres = createPostgres({ url: server.url })
  const inbox = postgres.inboxStore()
  const handled: string[] = []
  const stock = on(orderChanged, { name: 'stock', effect: 'postgres' }, async received => {
    await postgres.transaction(tx => inbox.record(tx, received))
    handled.push(`${received.data.orderId} ${received.data.text}`)
  })
  await using consumer = await serve({
    ...{ name: 'store', natsUrl: nats.url, dependencies: [postgres], inboxes: [inbox], handlers: [stock] },
  })
  const rows = async (table: string, id: string) =>
    (await sql`SELECT 1 FROM ${sql.table(table)} WHERE aggregate_id = ${id}`.execute(postgres.db)).rows.length
  const [ended, other] = [randomUUID(), randomUUID()]
  {
    await using before = shop(urls)
    await before.service.start()
    await before.change(ended, 'one')
    await before.change(ended, 'two')
    await until('they are handled', () => handled.length === 2)
    await until('they are marked', async () => (await before.postgres.outboxStore().depth()).pending === 0)
  }
  await sql`UPDATE tsmicro_outbox SET sent_at = sent_at - interval '40 days'`.execute(postgres.db)
  await sql`UPDATE tsmicro_inbox SET used_at = used_at - interval '40 days'`.execute(postgres.db)
  {
    await using next = shop(urls)
    await next.service.start()
    await until('its source forgets it', async () => (await rows('tsmicro_outbox_aggregates', ended)) === 0)
    await next.change(other, '1')
    await until('it is handled', () => handled.length === 3)
  }
  await using last = shop(urls)
  await last.service.start()
  let changes = 1
  // What has been forgotten is told with an event.
  await until('its consumer forgets it', async () => {
    await last.change(other, String(++changes))
    return (await rows('tsmicro_inbox', ended)) === 0
  })
  await last.change(ended, 'three')
  await until('it is handled', () => handled.includes(`${ended} three`))
  await until('all are handled', () => handled.length === 3 + changes)
  assert.deepEqual(
    handled.filter(each => each.startsWith(ended)),
    ['one', 'two', 'three'].map(text => `${ended} ${text}`),
  )
  const [{ dead, failed } = {}] = (await consumer.service.health()).events ?? []
  assert.deepEqual([dead, failed], [0, 0])
})
