import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { implement } from 'tsmicro'
import { ApiError, contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const shop = contract('shop', {
  work: procedure({ nats: 'work', access: 'internal', output: Type.Object({ by: Type.String() }) }),
})
export async function draining(open: OpenNetwork) {
  const network = await open()
  const caller = network.client('tests')
  await caller.connect()
  after(() => caller.close())
  const begun: Record<string, number> = {}
  const start = (by: string) => {
    begun[by] = 0
    return serve({
      network,
      handlers: [
        implement(shop, {
          work: async () => {
            begun[by] = (begun[by] ?? 0) + 1
            await sleep(50)
            return { by }
          },
        }),
      ],
    })
  }

  test('stopping answers everything that was accepted; the rest goes to another instance', async () => {
    const first = await start('first')
    const second = await start('second')
    after(() => second.service.stop())
    let running = true
    const outcomes: string[] = []
    const load = Array.from({ length: 20 }, async () => {
      while (running) {
        const call = caller.client(shop).work()
        outcomes.push(
          await call.then(({ by }) => by).catch(error => (error instanceof ApiError ? error.code : String(error))),
        )
      }
    })
    await until('the first works', () => (begun.first ?? 0) > 20)
    await first.service.stop()
    const mark = outcomes.length
    await until('the second goes on alone', () => outcomes.length > mark + 40)
    running = false
    await Promise.all(load)
    assert.deepEqual(new Set(outcomes), new Set(['first', 'second']))
    assert.equal(outcomes.filter(by => by === 'first').length, begun.first)
  })

  test('a stopped service leaves no connection behind', async () => {
    const name = `leak-${process.pid}`
    const made = await serve({ name, calls: [shop], network })
    const connection = made.nats.use()
    await made.service.stop()
    assert.ok(connection.isClosed())
    assert.equal(made.nats.connected, false)
    await assert.rejects(made.nats.client(shop).work(), error => (error as ApiError).code === 'SERVICE_UNAVAILABLE')
    await made.nats.close()
  })
}
