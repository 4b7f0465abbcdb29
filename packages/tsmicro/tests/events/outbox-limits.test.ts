import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { PAYLOAD_TOO_LARGE, VALIDATION_FAILED } from 'tsmicro'
import { event } from 'tsmicro/contract'
import { Type } from 'typebox'
import { NOT_PERMITTED } from '../../src/nats/index.ts'
import { ownNats } from '../support/nats.ts'
import { until } from '../support/until.ts'
import { orderPlaced, type Servers, shop, streamReader } from './outbox-shop.ts'

const [postgres, server] = await Promise.all([startPostgres({ ephemeral: true }), ownNats()])
const urls = { postgresUrl: postgres.url, natsUrl: server.url }
const reader = await streamReader(server.url)
after(async () => {
  await reader.nats.close()
  await postgres.stop()
})

async function started(servers: Servers) {
  const made = shop(servers)
  await made.service.start()
  return made
}

test('add refuses what could never be sent, and the change with it', async () => {
  await using app = await started(urls)
  const orderId = randomUUID()
  const other = event({ subject: 'other.made', aggregate: 'id', data: Type.Object({ id: Type.String() }) })
  const { transaction } = app.postgres
  await assert.rejects(
    transaction(tx => app.outbox.add(tx, other, { id: 'a' })),
    (error: Error) => error instanceof NOT_PERMITTED && /add the contract with it to `publishes`/.test(error.message),
  )
  await assert.rejects(
    transaction(tx => app.outbox.add(tx, orderPlaced, { orderId: 1 as never, text: '' })),
    (error: Error) => error instanceof VALIDATION_FAILED && /order\.placed/.test(String(error.message)),
  )
  const tooLarge = [
    { orderId, text: 'x'.repeat(1_100_000) },
    { orderId: 'x'.repeat(70_000), text: '' },
    { orderId: 'Ä'.repeat(20_000), text: '' },
    { orderId: 'x'.repeat(40_000), text: 'x'.repeat(980_000) },
  ]
  for (const huge of tooLarge)
    await assert.rejects(
      transaction(tx => app.outbox.add(tx, orderPlaced, huge)),
      PAYLOAD_TOO_LARGE,
    )
  // The largest ones are sent, and nothing waits behind them.
  const largest = [
    { orderId, text: 'x'.repeat(1_045_000) },
    { orderId: 'x'.repeat(60_000), text: '' },
  ]
  for (const each of largest) await transaction(tx => app.outbox.add(tx, orderPlaced, each))
  for (const { orderId: id } of largest) await until('it is sent', async () => (await reader.numbers(id)).length === 1)
})

test('add refuses what is too large for a server with a lower limit', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-limit-'))
  after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(file, 'max_payload: 65536\n')
  const nats = await ownNats({ extraArgs: ['-c', file] })
  await using app = await started({ ...urls, natsUrl: nats.url })
  const orderId = randomUUID()
  const add = (text: string) => app.postgres.transaction(tx => app.outbox.add(tx, orderPlaced, { orderId, text }))
  await assert.rejects(add('x'.repeat(65_000)), PAYLOAD_TOO_LARGE)
  await add('x'.repeat(60_000))
  await using own = await streamReader(nats.url)
  await until('it is sent', async () => (await own.numbers(orderId)).length === 1)
})
