import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { collect } from './network/ask.ts'
import type { OpenNetwork } from './network/network.ts'

const shop = contract('shop', {
  work: procedure({
    nats: 'work',
    access: 'internal',
    input: Type.Object({ fail: Type.Boolean() }),
    output: Type.Object({ by: Type.Integer() }),
  }),
})
export async function discovery(open: OpenNetwork) {
  const network = await open()
  const caller = network.client('tests')
  await caller.connect()
  const WAIT_MS = 20
  const start = (by: number) =>
    serve({
      network,
      description: 'Sells things',
      handlers: [
        implement(shop, {
          work: async ({ input }) => {
            await new Promise(resolve => setTimeout(resolve, WAIT_MS))
            if (input.fail) throw new Error('secret')
            return { by }
          },
        }),
      ],
    })
  const instances = [await start(1), await start(2)]
  after(() => Promise.all([caller.close(), ...instances.map(({ service }) => service.stop())]))

  const ask = async (subject: string, count = 2): Promise<Record<string, unknown>[]> =>
    (await collect(caller.use(), subject, count)).map(reply => JSON.parse(reply.string()))

  test('PING, INFO and STATS answer for all, by name and by instance', async () => {
    for (const verb of ['PING', 'INFO', 'STATS']) {
      const all = await ask(`$SRV.${verb}`)
      assert.equal(all.length, 2)
      assert.equal((await ask(`$SRV.${verb}.shop`)).length, 2)
      const [one] = await ask(`$SRV.${verb}.shop.${all[0]?.id}`, 1)
      assert.equal(one?.id, all[0]?.id)
      assert.notEqual(all[0]?.id, all[1]?.id)
      for (const each of all) {
        assert.equal(each.type, `io.nats.micro.v1.${verb.toLowerCase()}_response`)
        assert.deepEqual([each.name, each.version, each.metadata], ['shop', '1.2.3', {}])
      }
    }
  })

  test('INFO describes the endpoints; the schema hash is the same for every instance', async () => {
    const infos = await ask('$SRV.INFO.shop')
    assert.equal(infos[0]?.description, 'Sells things')
    const [a, b] = infos.map(info => (info.endpoints as object[])[0] as Record<string, unknown>)
    assert.deepEqual([a?.name, a?.subject, a?.queue_group], ['work', 'shop.work', 'q'])
    assert.match(String(new Map(Object.entries(a?.metadata ?? {})).get('tsmicro.schema')), /^[0-9a-f]{16}$/)
    assert.deepEqual(a, b)
  })

  test('the queue group spreads calls; the statistics of both instances add up', async () => {
    const results: PromiseSettledResult<{ by: number }>[] = []
    // In rounds: calls of one turn share messages, and a few messages might all go to one instance.
    for (let round = 0; round < 10; round++) {
      const calls = Array.from({ length: 4 }, (_, i) => caller.client(shop).work({ fail: i === 0 }))
      results.push(...(await Promise.allSettled(calls)))
    }
    const by = new Set(results.flatMap(result => (result.status === 'fulfilled' ? [result.value.by] : [])))
    assert.deepEqual([...by].sort(), [1, 2])
    const stats = (await ask('$SRV.STATS.shop')).map(stat => (stat.endpoints as Record<string, number>[])[0])
    const sum = (field: string) => stats.reduce((total, stat) => total + Number(stat?.[field]), 0)
    assert.equal(sum('num_requests'), 40)
    assert.equal(sum('num_errors'), 10)
    // The handler's wait is part of the work, though most of it comes after the first await.
    assert.ok(sum('processing_time') > 40 * (WAIT_MS - 2) * 1e6, String(sum('processing_time')))
    for (const stat of stats) {
      assert.equal(
        stat?.average_processing_time,
        Math.round(Number(stat?.processing_time) / Number(stat?.num_requests)),
      )
      if (stat?.num_errors) assert.equal(stat.last_error, '500:Something went wrong')
    }
  })
}
