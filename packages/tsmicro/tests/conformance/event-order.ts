import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStage, type Sent, sized } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const KEPT = 'an event is kept: those before it have not come'
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => index + from)

/** The order of an aggregate’s events, as its consumers keep it. */
export async function eventOrder(open: OpenNetwork) {
  test('two replicas, redeliveries and any order of arrival: each event once, in the order of its aggregate', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const ids = upTo(12).map(n => `i${n}`)
    const count = sized(400)
    const sent: Sent[] = ids.flatMap(id => upTo(count).map(n => ({ id, n })))
    // Each comes somewhere near its place, and every fifth comes twice.
    const places = sent.flatMap(each => {
      const at = () => (each.n ?? 0) + Math.random() * 8
      const again = Math.random() < 0.2 ? [{ each, at: at() + 5 }] : []
      return [{ each, at: at() }, ...again]
    })
    places.sort((one, other) => one.at - other.at)
    const handle = async (event: { data: { n: number } }) => {
      await sleep(Math.random() * 2)
      if (Math.random() < 0.05) throw new Error('once in a while')
      await inbox.record(event, event.data.n)
      if (Math.random() < 0.05) throw new Error('after the commit')
    }
    const replicas = await Promise.all([1, 2].map(() => stage.replica(handle, { tries: 20 })))
    await stage.published(...places.map(({ each }) => each))
    await stage.idle()
    for (const id of ids) assert.deepEqual(inbox.of(id), upTo(count))
    const shares = replicas.map(({ engine }) => engine.status.map(({ handled }) => handled))
    assert.ok(
      shares.every(([handled = 0]) => handled > 0),
      `both take part: ${shares}`,
    )
  })

  test('one that is early waits for those before it; a duplicate does nothing', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine } = await stage.replica(event => inbox.record(event, event.data.n))
    await stage.published({ id: 'a', n: 3 }, { id: 'a', n: 2 }, { id: 'b', n: 1 })
    await until('the other aggregate goes on', () => inbox.of('b').length === 1)
    assert.deepEqual(inbox.of('a'), [])
    await stage.published({ id: 'a', n: 1 }, { id: 'a', n: 1 }, { id: 'a', n: 2 }, { id: 'a', n: 4 })
    await until('all have their effect', () => inbox.of('a').length === 4)
    await stage.idle()
    assert.deepEqual(inbox.of('a'), [1, 2, 3, 4])
    assert.deepEqual(await engine.repairs.dead({}), [])
  })

  test('one whose predecessors never come is kept with what to do, and goes on when they do come', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine, log } = await stage.replica(event => inbox.record(event, event.data.n), { pace: { gapMs: 400 } })
    await stage.published({ id: 'a', n: 1 }, { id: 'a', n: 4 }, { id: 'a', n: 5 })
    await until('both are kept', async () => (await engine.repairs.dead({})).length === 2)
    const [first, second] = await engine.repairs.dead({})
    assert.match(first?.error ?? '', /^events 2 to 3 of item a did not come .*tsmicro events announce shop/)
    assert.match(second?.error ?? '', /kept behind/)
    const [line, ...more] = log.at('warn')
    assert.deepEqual([line?.message, line?.fields.eventId, more], [KEPT, 'a-4', []])
    await stage.published({ id: 'a', n: 2 }, { id: 'a', n: 3 })
    await until('they are handled behind the missing ones', () => inbox.of('a').length === 5)
    assert.deepEqual(inbox.of('a'), [1, 2, 3, 4, 5])
    await until('no letter is left', async () => (await engine.repairs.dead({})).length === 0)
  })

  test('a source that announces its state again is not waited for', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine } = await stage.replica(event => inbox.record(event, event.data.n), { pace: { gapMs: 300 } })
    await stage.published({ id: 'a', n: 8 })
    await until('it is kept', async () => (await engine.repairs.dead({})).length === 1)
    await stage.published({ id: 'a', n: 9, first: 9 }, { id: 'a', n: 10, first: 9 }, { id: 'b', n: 30, first: 30 })
    await until('the new state is handled', () => inbox.of('a').length === 2 && inbox.of('b').length === 1)
    assert.deepEqual(inbox.of('a'), [9, 10])
    await until('what is older is skipped', async () => (await engine.repairs.dead({})).every(({ skipped }) => skipped))
  })

  test('subjects that the service does not know count, and have no handler', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    await stage.replica(event => inbox.record(event, event.data.n))
    const subject = 'item.discontinued'
    await stage.published({ id: 'a', n: 1 }, { id: 'a', n: 2, subject }, { id: 'a', n: 3, subject }, { id: 'a', n: 4 })
    await until('those around it are handled', () => inbox.of('a').length === 2)
    assert.deepEqual(inbox.of('a'), [1, 4])
    await stage.idle()
  })

  test('messages without the headers of an event are logged and counted; events without a number are handled', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const { engine, log } = await stage.replica(event => inbox.record(event, event.data.n))
    stage.nats.use().publish('item.created', '{"id":"a","n":1}')
    await stage.published({ id: 'a', data: { id: 'a', n: 7 } }, { id: 'a', data: { id: 'a', n: 8 } }, { id: 'a', n: 1 })
    await until('they are handled', () => inbox.of('a').length === 3)
    assert.deepEqual(inbox.of('a'), [7, 8, 1])
    await stage.idle()
    assert.equal(engine.status[0]?.foreign, 1)
    assert.equal(log.at('warn').filter(({ message }) => message.includes('lacks the headers')).length, 1)
  })
}
