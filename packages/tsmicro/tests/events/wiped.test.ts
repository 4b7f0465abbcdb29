import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startNats } from '@tsmicro/infra'
import { createPublisher, on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import Type from 'typebox'
import { JetStream } from '../../src/events/index.ts'
import { client } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const data = Type.Object({ id: Type.String(), n: Type.Integer() })
const shop = contract('shop', { made: event({ subject: 'item.made', aggregate: 'id', data }) })

test('JetStream is wiped: services without an outbox make their streams again, and go on', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-wiped-'))
  const server = await startNats({ dataDir })
  after(async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const seen: string[] = []
  const stock = on(shop.made, { name: 'stock', effect: 'idempotent', tries: 1 }, ({ data: { id } }) => {
    seen.push(id)
    if (id.startsWith('poison')) throw new Error('does not fit')
  })
  const natsUrl = server.url
  await using publishing = await serve({ name: 'shop', natsUrl, publishes: [shop] })
  await using consuming = await serve({ name: 'store', natsUrl, handlers: [stock] })
  const events = createPublisher(publishing.nats, 'shop')
  const admin = new JetStream(await client(server.url))
  const letters = async () => (await admin.stream('DEAD_store').catch(() => undefined))?.state.messages
  const publish = (id: string) =>
    until('it is published', () =>
      events.publish(shop.made, { id, n: 1 }, { sequence: 1 }).then(
        () => true,
        () => false,
      ),
    )
  await publish('poison-1')
  await until('it is kept', async () => (await letters()) === 1)

  server.kill('SIGKILL')
  await rm(join(dataDir, 'jetstream'), { recursive: true, force: true })
  await server.restart()
  await publish('poison-2')
  await publish('fine')
  await until('it is kept, too', async () => (await letters()) === 1)
  await until('others are handled', () => seen.includes('fine'))
  const made = (each: typeof consuming) => each.log.at('info').filter(({ message }) => / is new$/.test(message)).length
  assert.deepEqual([made(publishing), made(consuming)], [2, 2])
  assert.equal(seen.filter(id => id === 'poison-2').length, 1)
})
