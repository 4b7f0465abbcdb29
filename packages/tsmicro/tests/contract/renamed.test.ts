import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, type NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'

const shop = contract('shop', {
  item: procedure({ http: 'GET /item', nats: 'item', access: 'open', output: Type.String() }),
})

test('a procedure goes by the key under which a contract has it, with handlers as with clients of both doors', async () => {
  const renamed = { find: shop.item }
  const createModule = ({ nats }: { nats: NatsClient }) => ({
    nats,
    handlers: [implement(renamed, { find: () => 'found' })],
  })
  await using app = await testService(createModule)
  assert.equal(await app.http(renamed).find(), 'found')
  assert.equal(await app.nats(renamed).find(), 'found')
  assert.equal(await app.nats(shop).item(), 'found')
  assert.throws(() => implement(renamed, {} as never), /no handler for shop.find/)
})
