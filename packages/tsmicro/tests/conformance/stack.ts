import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import { serve } from '../support/service.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const { NOT_HERE } = defineErrors({ NOT_HERE: { status: 404, message: 'Not here' } })
const shop = contract('shop', {
  fail: procedure({ nats: 'fail', access: 'internal', errors: { NOT_HERE } }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
  nobody: procedure({ nats: 'nobody', access: 'internal' }),
})
const { nobody: _, ...implemented } = shop
async function whereIsMyBug(call: () => Promise<unknown>): Promise<void> {
  await call()
}

export async function stack(open: OpenNetwork) {
  const network = await open()
  const { service } = await serve({
    network,
    handlers: [
      implement(implemented, {
        fail: ({ errors }) => {
          throw new errors.NOT_HERE()
        },
        hang: ({ signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
      }),
    ],
  })
  after(() => service.stop())

  test('the stack trace of a failure leads to the caller, alone or in a batch', async () => {
    for (const caller of [await connected(network, { batching: false }), await connected(network)]) {
      const failing = [
        () => caller.client(shop).fail(),
        () => caller.client(shop).hang({}, { timeoutMs: 20 }),
        () => caller.client(shop).nobody(),
        () => caller.request('shop.fail', {}),
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
}
