import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { openStage } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const LIMIT = 1024 * 1024
const HEADERS_LIMIT = 65_535

/** A replica whose handler fails for event 1 until it is repaired, and what is published as large as the server accepts. */
async function openLarge(open: OpenNetwork) {
  const stage = await openStage(await open())
  const poison = { on: true, tries: 0, error: 'does not fit' }
  const one = await stage.replica(
    async received => {
      const { n } = received.data
      if (poison.on && n === 1) {
        poison.tries += 1
        throw new Error(poison.error)
      }
      await stage.inbox.record(received, n)
    },
    { tries: 2 },
  )
  const letters = () => one.engine.repairs.dead({})
  /** As many bytes as the server accepts, most of them in the data or in a header of its own. */
  const fill = (id: string, where: 'data' | 'header') => {
    const made = headers()
    const attributes = { specversion: '1.0', id, type: 'item.created', source: 'shop', aggregateid: id }
    for (const [name, value] of Object.entries({ ...attributes, time: new Date().toISOString() }))
      made.set(`ce-${name}`, value)
    made.set('ce-aggregatesequence', '1')
    made.set('traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)
    const data = { id, n: 1, text: '' }
    if (where === 'header') made.set('More', '')
    const size = (made as unknown as { encode(): Uint8Array }).encode().length
    if (where === 'header') made.set('More', 'x'.repeat(HEADERS_LIMIT - size))
    else data.text = 'x'.repeat(LIMIT - JSON.stringify(data).length - size)
    stage.nats.use().publish('item.created', JSON.stringify(data), { headers: made })
    return JSON.stringify(data)
  }
  /** How much is left in the stream of dead letters. */
  const kept = async () => (await stage.js.stream('DEAD_stock'))?.state.messages
  return { stage, one, poison, letters, fill, kept }
}

/** Events that hardly fit into a message, and cannot be handled. */
export async function largeLetters(open: OpenNetwork) {
  test('an event as large as the server accepts is kept whole with its error, and set right by one retry', async () => {
    const { stage, one, poison, letters, fill, kept } = await openLarge(open)
    poison.error = 'ä'.repeat(5000)
    const data = fill('large', 'data')
    await stage.published({ id: 'large', n: 2 })
    await until('both are kept', async () => (await letters()).length === 2)
    await stage.idle()
    const [first, second] = await letters()
    assert.deepEqual([first?.number, first?.tries, second?.number, second?.tries], [1, 2, 2, 0])
    assert.match(first?.error ?? '', /^ä{100}/)
    assert.equal(poison.tries, 2)
    const apart = await stage.js.message('DEAD_stock', { last_by_subj: '_TSMICRO.dead.stock.items.item.large.1.data' })
    assert.ok(apart && Buffer.from(apart.data).equals(Buffer.from(data)))
    const [overview] = await one.engine.overview()
    // The loopback broker does not count.
    if (overview?.dead !== 0) assert.deepEqual([overview?.dead, overview?.parked], [2, 1])
    poison.on = false
    await one.engine.repairs.retry({})
    assert.deepEqual(stage.inbox.of('large'), [1, 2])
    assert.equal(await kept(), 0, 'nothing of them is left')
  })

  test('it can be skipped, and retried whole', async () => {
    const { stage, one, poison, letters, fill, kept } = await openLarge(open)
    fill('large', 'data')
    await until('it is kept', async () => (await letters()).length === 1)
    await one.engine.repairs.skip({ aggregateId: 'large' })
    assert.deepEqual(
      (await letters()).map(({ skipped }) => skipped),
      [true],
    )
    assert.equal(await kept(), 2)
    poison.on = false
    stage.inbox.rows.clear()
    const [repaired] = await one.engine.repairs.retry({ aggregateId: 'large' })
    assert.equal(repaired?.error, undefined)
    assert.deepEqual(stage.inbox.of('large'), [1])
    assert.equal(await kept(), 0)
  })

  test('headers that leave no room for an error are kept as far as the event needs them', async () => {
    const { stage, one, poison, letters, fill } = await openLarge(open)
    poison.error = 'ä'.repeat(5000)
    fill('headers', 'header')
    await until('it is kept', async () => (await letters()).length === 1)
    await stage.idle()
    const [letter] = await letters()
    assert.match(letter?.error ?? '', /^ä{100}/)
    poison.on = false
    await one.engine.repairs.retry({})
    assert.deepEqual(stage.inbox.of('headers'), [1])
  })
}
