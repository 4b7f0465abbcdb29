import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStage } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const rowOf = (id: string) => `stock.items item ${id}`
const pace = { sweepMs: 20 }

/** Aggregates that their source has forgotten. */
export async function forgotten(open: OpenNetwork) {
  test('what the source has forgotten is forgotten as well; an aggregate that comes back is handled once', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    await stage.replica(event => inbox.record(event, event.data.n), { pace })
    await stage.published({ id: 'a', n: 1 }, { id: 'a', n: 2 }, { id: 'b', n: 1 })
    await until('they are handled', () => inbox.effects.length === 3)
    inbox.usedAt.set(rowOf('a'), 0)
    await stage.published({ id: 'b', n: 2, forgotten: new Date() })
    await until('it is forgotten', () => !inbox.rows.has(rowOf('a')))
    assert.equal(inbox.rows.get(rowOf('b')), 2)
    await stage.published({ id: 'a', n: 8, first: 7 }, { id: 'a', n: 7, first: 7 }, { id: 'a', n: 7, first: 7 })
    await until('it is handled', () => inbox.of('a').length === 4)
    await stage.idle()
    assert.deepEqual(
      [inbox.of('a'), inbox.of('b')],
      [
        [1, 2, 7, 8],
        [1, 2],
      ],
    )
  })

  test('nothing is forgotten while an event that was sent before waits, nor what dead letters are about', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const running = Promise.withResolvers<void>()
    const { engine } = await stage.replica(
      async event => {
        const { id, n } = event.data
        if (id === 'bad' && n === 2) throw new Error('poison')
        if (id === 'slow') await running.promise
        await inbox.record(event, n)
      },
      { pace: { ...pace, timeoutMs: 600_000 } },
    )
    await stage.published({ id: 'old', n: 1 }, { id: 'bad', n: 1 }, { id: 'bad', n: 2 }, { id: 'skipped', n: 2 })
    await stage.published({ id: 'slow', n: 1 })
    await until('it is kept', async () => (await engine.repairs.dead({})).length === 1)
    await until('one runs', () => engine.status[0]?.inFlight === 2)
    for (const id of ['old', 'bad']) inbox.usedAt.set(rowOf(id), 0)
    await stage.published({ id: 'b', n: 1, forgotten: new Date() })
    await until('it is told', () => inbox.of('b').length === 1)
    await sleep(200)
    assert.equal(inbox.rows.get(rowOf('old')), 1)
    running.resolve()
    await stage.published({ id: 'skipped', n: 1 })
    await until('it is forgotten', () => !inbox.rows.has(rowOf('old')))
    assert.deepEqual([inbox.rows.get(rowOf('bad')), inbox.rows.get(rowOf('slow'))], [1, 1])
    assert.deepEqual(inbox.of('skipped'), [1, 2])
  })
}
