import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const pair = contract('pair', { work: procedure({ nats: 'work', access: 'internal', output: Type.String() }) })

export async function sharing(open: OpenNetwork) {
  const network = await open()
  const caller = await connected(network)

  test('two instances work at the same time and share the load', async () => {
    const busy = new Map<string, number>()
    let together = 0
    const start = (by: string) =>
      serve({
        name: 'pair',
        network,
        handlers: [
          implement(pair, {
            work: async () => {
              busy.set(by, (busy.get(by) ?? 0) + 1)
              if ([...busy.values()].every(count => count > 0) && busy.size === 2) together += 1
              await sleep(5)
              busy.set(by, (busy.get(by) ?? 0) - 1)
              return by
            },
          }),
        ],
      })
    const both = await Promise.all([start('one'), start('two')])
    after(() => Promise.all(both.map(each => each.service.stop())))
    const done = { one: 0, two: 0 }
    const calls = Math.min(20_000, network.manyCalls / 2)
    let left = calls
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (left-- > 0) done[(await caller.client(pair).work()) as 'one' | 'two'] += 1
      }),
    )
    const share = done.one / (done.one + done.two)
    // Whole batches go to one of them, by chance: of a thousand calls, 373 have been seen to go to one.
    assert.ok(share > 0.3 && share < 0.7, `${done.one}:${done.two}`)
    // On an idle machine, nearly all of them.
    assert.ok(together > calls / 10, `${together} of ${calls} begun while both were busy`)
  })
}
