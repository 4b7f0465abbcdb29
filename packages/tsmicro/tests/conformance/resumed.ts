import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStage } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const ROW = 'stock.items item a'

/** Dead letters that nothing holds up any longer go on by themselves: no later event of their aggregate comes. */
export async function resumed(open: OpenNetwork) {
  test('those behind a gap go on once another instance has handled what was missing', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const pace = { gapMs: 100, sweepMs: 50 }
    const { engine } = await stage.replica(event => inbox.record(event, event.data.n), { pace })
    await stage.published({ id: 'a', n: 5 }, { id: 'a', n: 6 })
    await until('both are kept', async () => (await engine.repairs.dead({})).length === 2)
    await stage.published({ id: 'a', n: 4 })
    await until('it is kept as well', async () => (await engine.repairs.dead({})).length === 3)
    assert.deepEqual(inbox.effects, [])
    inbox.rows.set(ROW, 3)
    await until('they are handled', () => inbox.of('a').length === 3)
    await until('no letter is left', async () => (await engine.repairs.dead({})).length === 0)
    assert.deepEqual(inbox.of('a'), [4, 5, 6])
  })

  test('an instance learns what others have kept', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const pace = { gapMs: 100, sweepMs: 50 }
    const one = await stage.replica(event => inbox.record(event, event.data.n), { pace })
    await stage.published({ id: 'b', n: 1 })
    await until('it consumes', () => inbox.of('b').length === 1)
    const other = await stage.replica(event => inbox.record(event, event.data.n), { pace })
    await stage.published({ id: 'a', n: 2 })
    await until('it is kept', async () => (await one.engine.repairs.dead({})).length === 1)
    const [keeper, left] = one.engine.status[0]?.dead === 1 ? [one, other] : [other, one]
    await keeper.stop()
    inbox.rows.set(ROW, 1)
    await until('the other one handles it', () => inbox.of('a').length === 1)
    await until('no letter is left', async () => (await left.engine.repairs.dead({})).length === 0)
  })

  test('those behind a letter whose event was handled go on: whoever did so died before it was removed', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const handle = async (event: { data: { id: string; n: number } }) => {
      if (event.data.n === 1) throw new Error('poison')
      await inbox.record(event, event.data.n)
    }
    const { engine } = await stage.replica(handle, { pace: { sweepMs: 50 } })
    await stage.published(...[1, 2, 3].map(n => ({ id: 'a', n })))
    await until('all are kept', async () => (await engine.repairs.dead({})).length === 3)
    inbox.rows.set(ROW, 1)
    await until('those behind it are handled', () => inbox.of('a').length === 2)
    assert.deepEqual(inbox.of('a'), [2, 3])
  })

  test('a kept event that fails once its turn has come is tried as often as any other', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const poison = new Set([1, 3])
    const tries: number[] = []
    const handle = async (event: { data: { id: string; n: number } }) => {
      const { n } = event.data
      if (poison.has(n)) {
        tries.push(n)
        throw new Error(`poison ${n}`)
      }
      await inbox.record(event, n)
    }
    const { engine } = await stage.replica(handle, { pace: { sweepMs: 20 } })
    const letters = async () =>
      (await engine.repairs.dead({})).map(({ number, tries, error }) => [number, tries, error])
    await stage.published(...[1, 2, 3, 4].map(n => ({ id: 'a', n })))
    await until('all are kept', async () => (await letters()).length === 4)
    poison.delete(1)
    await engine.repairs.retry({})
    await until('it has an error of its own', async () => (await letters()).some(([, count]) => count === 3))
    assert.deepEqual((await letters()).toSorted(), [
      [3, 3, 'poison 3'],
      [4, 0, 'kept behind an event that failed'],
    ])
    // It waits for an operator from now on, whoever looks.
    await (await stage.replica(handle, { pace: { sweepMs: 20 } })).stop()
    await stage.published({ id: 'a', n: 5 })
    await until('the next one waits behind', async () => (await letters()).length === 3)
    assert.deepEqual(tries, [1, 1, 1, 3, 3, 3])
    assert.deepEqual(inbox.of('a'), [1, 2])
    poison.delete(3)
    await engine.repairs.retry({})
    assert.deepEqual(inbox.of('a'), [1, 2, 3, 4, 5])
    assert.deepEqual(await letters(), [])
  })

  test('without a store: those behind a letter that was retried go on, although the operator has gone', async () => {
    const stage = await openStage(await open())
    const handled: number[] = []
    let poison = true
    const { engine } = await stage.replica(
      ({ data: { n } }) => {
        if (poison && n === 1) throw new Error('poison')
        handled.push(n)
      },
      { inbox: undefined, pace: { sweepMs: 50 } },
    )
    await stage.published(...[1, 2, 3].map(n => ({ id: 'a', n })))
    await until('all are kept', async () => (await engine.repairs.dead({})).length === 3)
    poison = false
    await engine.repairs.retry({}, () => false)
    await until('all are handled', () => handled.length === 3)
    assert.deepEqual(handled, [1, 2, 3])
    await until('no letter is left', async () => (await engine.repairs.dead({})).length === 0)
  })
}
