import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { NatsClient, requestNats } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import { client, ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'

const { NOT_HERE } = defineErrors({ NOT_HERE: { status: 404, message: 'Not here' } })
const shop = contract('shop', {
  fail: procedure({ nats: 'fail', access: 'internal', errors: { NOT_HERE } }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
  nobody: procedure({ nats: 'nobody', access: 'internal' }),
})
const { nobody: _, ...implemented } = shop
const server = await ownNats()
const { service } = await serve({
  contracts: [implemented],
  natsUrl: server.url,
  endpoints: group =>
    group.implement(implemented, {
      fail: ({ errors }) => {
        throw new errors.NOT_HERE()
      },
      hang: ({ signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
    }),
})
after(() => service.stop())

async function whereIsMyBug(call: () => Promise<unknown>): Promise<void> {
  await call()
}

test('the stack trace of a failure leads to whoever called, alone or in a batch', async () => {
  const single = new NatsClient({ url: server.url, name: 'single', batching: false })
  await single.connect()
  after(() => single.close())
  for (const caller of [single, await client(server.url)]) {
    const failing = [
      () => caller.call(shop.fail, undefined),
      () => caller.call(shop.hang, undefined, { timeoutMs: 20 }),
      () => caller.call(shop.nobody, undefined),
      () => requestNats(caller, 'shop.fail', {}),
    ]
    for (const call of failing) {
      const calls = await Promise.allSettled(Array.from({ length: 5 }, () => whereIsMyBug(call)))
      for (const each of calls) {
        assert.ok(each.status === 'rejected')
        assert.match(each.reason.stack, /whereIsMyBug/)
      }
    }
  }
})
