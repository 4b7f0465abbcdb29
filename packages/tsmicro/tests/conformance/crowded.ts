import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { openStage, type Sent } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

/** More aggregates than a consumer takes at a time. */
const MANY = 700
const each = (n: number): Sent[] => Array.from({ length: MANY }, (_, index) => ({ id: `w${index}`, n }))
const others: Sent[] = Array.from({ length: 400 }, (_, index) => ({
  id: `o${index % 40}`,
  n: Math.floor(index / 40) + 1,
}))

/** Many aggregates that can only wait leave room for those that can go on. */
export async function crowded(open: OpenNetwork) {
  test('many gaps: all other aggregates go on, and what comes late is handled in order', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine } = await stage.replica(event => inbox.record(event, event.data.n), { pace: { gapMs: 600_000 } })
    await stage.published(...each(2), ...each(3))
    await stage.published(...others)
    await until('the others go on', () => inbox.effects.length === others.length)
    await stage.published(...each(1))
    await until('all are handled', () => inbox.effects.length === others.length + 3 * MANY)
    for (const { id } of each(1)) assert.deepEqual(inbox.of(id), [1, 2, 3])
    await stage.idle()
    assert.deepEqual(await engine.repairs.dead({}), [])
  })

  test('many gaps that stay: each is kept when its time is over, however often it has been handed back', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine } = await stage.replica(event => inbox.record(event, event.data.n), { pace: { gapMs: 2000 } })
    await stage.published(...each(2).slice(0, 400), ...others)
    await until('the others go on', () => inbox.effects.length === others.length)
    await until('all are kept', () => engine.status[0]?.dead === 400)
    await stage.idle()
  })

  test('many that wait for a dependency of their own: all others go on, and they are handled once it works', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    let down = true
    const some = each(1).slice(0, 400)
    const { engine } = await stage.replica(
      async event => {
        if (down && event.data.id.startsWith('w')) throw new SERVICE_UNAVAILABLE()
        await inbox.record(event, event.data.n)
      },
      { tries: 1 },
    )
    await stage.published(...some, ...others)
    await until('the others go on', () => inbox.effects.length === others.length)
    down = false
    await until('all are handled', () => inbox.effects.length === others.length + some.length)
    assert.deepEqual(await engine.repairs.dead({}), [])
    await stage.idle()
  })
}
