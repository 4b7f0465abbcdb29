import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPublisher, currentContext, on, SERVICE_UNAVAILABLE } from 'tsmicro'
import { event } from 'tsmicro/contract'
import Type from 'typebox'
import { openStage } from '../events/stage.ts'
import { dependency } from '../support/dependency.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'
import { HONOURING } from './poison.ts'

const created = event({ subject: 'item.created', aggregate: 'id', data: Type.Object({ id: Type.String() }) })

/** Failures that say nothing about the event. */
export async function excused(open: OpenNetwork) {
  test('a handler whose time is over while its database does not answer was not tried', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine, log } = await stage.replica(
      async event => {
        if (inbox.down) await HONOURING.reason(currentContext()?.deadline.signal ?? assert.fail())
        await inbox.record(event, event.data.n)
      },
      { pace: { timeoutMs: 50 }, tries: 1 },
    )
    await stage.published({ id: 'a', n: 1 })
    await until('it is handled', () => inbox.of('a').length === 1)
    inbox.down = new SERVICE_UNAVAILABLE()
    await stage.published({ id: 'a', n: 2 })
    await until('it was begun in vain', () => log.at('warn').length > 0)
    inbox.down = undefined
    await until('it is handled', () => inbox.of('a').length === 2)
    assert.deepEqual(await engine.repairs.dead({}), [])
  })

  test('a handler that fails in whatever way while its database does not answer was not tried, also if it records nothing', async () => {
    const network = await open()
    await network.streams('shop', [{ created }])
    const bare = network.client('tests')
    await bare.connect()
    const database = dependency('database', [])
    const begun: string[] = []
    const handled: string[] = []
    await using stock = await serve({
      ...{ name: 'stock', network, dependencies: [database], handlerTimeoutMs: 50 },
      handlers: [
        on(created, { name: 'items', effect: 'idempotent', tries: 1 }, async ({ data: { id } }) => {
          begun.push(id)
          if (database.state === 'up') handled.push(id)
          else if (id === 'failing') throw new Error('not what the driver has said')
          else await HONOURING.reason(currentContext()?.deadline.signal ?? assert.fail())
        }),
      ],
    })
    database.state = 'down'
    const publisher = createPublisher(bare, 'shop')
    const ids = ['failing', 'hanging']
    for (const id of ids) await publisher.publish(created, { id }, { sequence: 1 })
    for (const id of ids) await until('it is begun again', () => begun.filter(each => each === id).length > 1)
    database.state = 'up'
    await until('both are handled', () => handled.length === 2)
    const [{ failed, dead } = {}] = (await stock.service.health()).events ?? []
    assert.deepEqual([failed, dead], [0, 0])
    await bare.close()
  })

  test('a handler whose process was frozen until its time was over was not tried', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    let begun = 0
    const { engine } = await stage.replica(
      async event => {
        begun += 1
        const { signal } = currentContext()?.deadline ?? assert.fail()
        if (begun === 1) {
          await sleep(0)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200)
          await HONOURING.reason(signal)
        }
        await inbox.record(event, event.data.n)
      },
      { pace: { timeoutMs: 50 }, tries: 1 },
    )
    await stage.published({ id: 'a', n: 1 })
    await until('it is handled', () => inbox.of('a').length === 1)
    assert.equal(engine.status[0]?.failed, 0)
  })

  test('a dependency that fails does not count as a try', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    let calls = 0
    const down = new SERVICE_UNAVAILABLE()
    const { engine } = await stage.replica(async event => {
      calls += 1
      await inbox.record(event, event.data.n)
    })
    inbox.down = down
    await stage.published({ id: 'a', n: 1 })
    await until('it was asked for', () => engine.status[0]?.inFlight === 1)
    inbox.down = undefined
    await until('it is handled', () => inbox.of('a').length === 1)
    inbox.down = undefined
    let failing = 8
    const { engine: second } = await stage.replica(
      async event => {
        if (failing-- > 4) throw down
        if (failing >= 0) throw new Error('the stock is unknown', { cause: down })
        await inbox.record(event, event.data.n)
      },
      { name: 'others' },
    )
    await until('it is handled in the end', () => inbox.of('a').length === 2)
    assert.equal(second.status[0]?.dead, 0)
    assert.equal(second.status[0]?.failed, 0)
    assert.ok(calls >= 1)
  })
}
