import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertInOrder, numbered, openStage, sized } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

/** Consumers that lose their connection, or what is at its other end. */
export async function eventFaults(open: OpenNetwork) {
  test('NATS is killed and comes back: every event once, in order', async () => {
    const network = await open()
    const stage = await openStage(network)
    const { inbox } = stage
    const count = sized(4000)
    await stage.published(...numbered(count))
    const handle = async (event: { data: { n: number } }) => {
      await sleep(1)
      await inbox.record(event, event.data.n)
    }
    await Promise.all([stage.replica(handle), stage.replica(handle)])
    for (const share of [0.1, 0.3, 0.6]) {
      await until('it is in the middle', () => inbox.effects.length >= count * share)
      await network.fail()
      await network.recover()
    }
    await until('all have their effect', () => inbox.effects.length >= count)
    await stage.idle()
    assertInOrder(inbox, count)
  })

  test('a consumer that somebody has deleted is made again', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    await stage.replica(event => inbox.record(event, event.data.n))
    await stage.published({ id: 'a', n: 1 })
    await until('it is handled', () => inbox.of('a').length === 1)
    await stage.js.deleteConsumer('EVENTS_item', 'stock_items')
    await stage.published({ id: 'a', n: 2 })
    await until('the next one is handled', () => inbox.of('a').length === 2)
    assert.deepEqual(inbox.of('a'), [1, 2])
  })
}
