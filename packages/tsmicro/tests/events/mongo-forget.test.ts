import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { AlreadyHandledError, type Attempt } from '../../src/stores/index.ts'
import { open } from './mongo-setting.ts'

const { mongo, things } = await open()
const inbox = mongo.inboxStore()
await inbox.prepare()

const attemptOf = (of: Pick<Attempt, 'consumer' | 'type'>): Attempt => ({
  ...of,
  aggregateId: randomUUID(),
  from: 0,
  to: 1,
})

test('rows that were not used for long are forgotten, those of one consumer and type; reading a row uses it', async () => {
  const rows = mongo.db.collection('inbox')
  const of = { consumer: 'blog.forgetting', type: 'thing' }
  const unused = attemptOf(of)
  const others = [attemptOf(of), attemptOf(of), attemptOf({ ...of, type: 'other' }), attemptOf(of)]
  for (const each of [unused, ...others]) await inbox.advance(each)
  await rows.updateMany({ consumer: of.consumer }, { $set: { usedAt: new Date(Date.now() - 40 * 86_400_000) } })
  const [read, stepped, , reset] = others
  assert.ok(read && stepped && reset)
  // Documents may carry numbers of its generation.
  await rows.updateOne({ aggregateId: reset.aggregateId }, { $set: { generation: 1 } })
  await inbox.read([read])
  await inbox.advance({ ...stepped, from: 1, to: 2 })
  await inbox.forget(of, new Date(Date.now() - 86_400_000))
  assert.deepEqual(await inbox.read([unused, ...others]), [0, 1, 2, 1, 1])
})

test('a handler of an aggregate that was forgotten meanwhile changes nothing, and the next attempt does', async () => {
  const _id = randomUUID()
  const attempt = attemptOf({ consumer: 'blog.returned', type: 'thing' })
  const add = async (given: Attempt) => {
    const event = {}
    inbox.begin(event, given)
    await things.updateOne({ _id }, { $inc: { n: 1 } }, { event, upsert: true })
    return inbox.end(event, true)
  }
  await add(attempt)
  await inbox.forget(attempt, new Date(Date.now() + 1000))
  await assert.rejects(add({ ...attempt, from: 1, to: 9 }), AlreadyHandledError)
  assert.equal(await add({ ...attempt, from: 0, to: 9 }), true)
  assert.deepEqual([await things.findOne({ _id }), await inbox.read([attempt])], [{ _id, n: 2 }, [9]])
})
