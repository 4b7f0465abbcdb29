import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Incoming, StoredOrder } from '../../src/events/order.ts'
import { MemoryInbox } from './memory-inbox.ts'

const of = { consumer: 'shop.stock', type: 'order' }
const eventOf = (number: number): Incoming => ({
  ...{ aggregateId: 'a', number, first: 1, subject: 'order.placed', headers: {} as Incoming['headers'] },
  ...{ sequence: number, fresh: true, text: () => '' },
})

test('an event that another instance handles between verdict and attempt is not handled again, and no number goes back', async () => {
  const inbox = new MemoryInbox()
  const [ours, theirs] = [new StoredOrder(inbox, of), new StoredOrder(inbox, of)]
  const event = eventOf(1)
  assert.equal(await ours.judge(event), 'next')
  for (const further of [1, 2, 3]) {
    await theirs.judge(eventOf(further))
    assert.equal(await inbox.advance(theirs.stepOf(eventOf(further))), true)
    // As a later event of the aggregate does, which waits beside it.
    await ours.refresh('a')
    inbox.begin(event, ours.stepOf(event))
    await assert.rejects(inbox.record(event, 1), { name: 'AlreadyHandledError' })
    assert.deepEqual([...inbox.rows.values()], [further])
  }
  assert.deepEqual(inbox.effects, [])
})
