import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startNats, startPostgres } from '@tsmicro/infra'
import { until } from '../support/until.ts'
import { shop, streamReader } from './outbox-shop.ts'

const [postgres, nats] = await Promise.all([startPostgres({ ephemeral: true }), startNats({ ephemeral: true })])
const urls = { postgresUrl: postgres.url, natsUrl: nats.url }
const reader = await streamReader(urls.natsUrl)
after(() => Promise.all([reader.nats.close(), postgres.stop(), nats.stop()]))

test('a process that does not get the turn tells the others what it has committed', async () => {
  await using app = shop(urls)
  await app.service.start()
  let busy = true
  await using second = shop(urls, {
    wrap: store => {
      const relay = store.relay.bind(store)
      return Object.assign(store, {
        relay: async (...args: Parameters<typeof relay>) => (busy ? 'busy' : relay(...args)),
      })
    },
  })
  await second.service.start()
  let told = 0
  reader.nats.use().subscribe('_TSMICRO.outbox.shop', { callback: () => told++ })
  await reader.nats.check()
  const id = randomUUID()
  let changes = 0
  await until('it tells them', async () => {
    await second.change(id, String(++changes))
    return told > 0
  })
  await until('another one sends it', async () => (await reader.numbers(id)).length === changes)
  await until('it is marked', async () => (await app.postgres.outboxStore().depth()).pending === 0)
  busy = false
})
