import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startDocuments } from '@tsmicro/infra'
import type { Document } from 'mongodb'
import { createMongo } from 'tsmicro/mongo'
import { AlreadyHandledError, type Attempt } from '../../src/stores/index.ts'
import { PATIENT_MONGO } from '../support/patient-mongo.ts'
import { storedEvent, TestStream } from './outbox-suite.ts'

interface Thing extends Document {
  _id: string
  n?: number
}

const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const mongo = createMongo({ url: server.url, database: `inbox_${randomUUID().slice(0, 8)}`, ...PATIENT_MONGO })
await mongo.connect()
const inbox = mongo.inboxStore()
await inbox.prepare()
after(async () => {
  await mongo.db.dropDatabase()
  await mongo.close()
  await server.stop()
})

const things = mongo.collection<Thing>('things')
const stored = mongo.db.collection<Thing>('things')
const inc = { $inc: { n: 1 } }
const upsert = { upsert: true }

function attemptAt(from: number, more: Partial<Attempt> = {}): Attempt {
  return { consumer: 'blog.things', type: 'thing', aggregateId: randomUUID(), from, to: from + 1, ...more }
}

/** One attempt, as the consumer makes it. */
async function handle(attempt: Attempt, handler: (event: object) => Promise<unknown>): Promise<boolean> {
  const event = {}
  inbox.begin(event, attempt)
  try {
    await handler(event)
  } catch (error) {
    assert.equal(await inbox.end(event, false), false)
    throw error
  }
  return inbox.end(event, true)
}

/** As if the process had died after the handler's writes and before the row. */
async function handleAndDie(attempt: Attempt, handler: (event: object) => Promise<unknown>): Promise<void> {
  const event = {}
  inbox.begin(event, attempt)
  await handler(event)
}

test('an event changes its document once, whatever write it is, and the row follows', async () => {
  const writes: [string, (_id: string, event: object) => Promise<unknown>][] = [
    ['operators', (_id, event) => things.updateOne({ _id }, inc, { event })],
    ['a filter that no longer holds afterwards', (_id, event) => things.updateOne({ _id, n: 10 }, inc, { event })],
    ['pipeline', (_id, event) => things.updateOne({ _id }, [{ $set: { n: { $add: ['$n', 1] } } }], { event })],
    ['new form', (_id, event) => things.updateOne({ _id }, [{ $replaceWith: { n: { $add: ['$n', 1] } } }], { event })],
    ['upsert', (_id, event) => things.updateOne({ _id }, inc, { event, ...upsert })],
    ['upsert with a condition', (_id, event) => things.updateOne({ _id, n: 10 }, inc, { event, ...upsert })],
    ['found', (_id, event) => things.findOneAndUpdate({ _id }, inc, { event })],
    ['found upsert', (_id, event) => things.findOneAndUpdate({ _id }, inc, { event, ...upsert })],
  ]
  for (const [title, write] of writes) {
    const _id = randomUUID()
    await things.insertOne({ _id, n: 10 })
    const attempt = attemptAt(0)
    await handleAndDie(attempt, event => write(_id, event))
    assert.deepEqual(await inbox.read([attempt]), [0], title)
    assert.equal(await handle(attempt, event => write(_id, event)), true, title)
    assert.deepEqual(await things.findOne({ _id }), { _id, n: 11 }, title)
    assert.deepEqual(await inbox.read([attempt]), [1], title)
    // Somebody else was quicker.
    await assert.rejects(
      handle(attempt, event => write(_id, event)),
      AlreadyHandledError,
    )
    assert.deepEqual(await things.findOne({ _id }), { _id, n: 11 }, title)
  }
})

test('an event inserts its document once', async () => {
  const writes: [string, (_id: string, event: object) => Promise<unknown>][] = [
    ['insert', (_id, event) => things.insertOne({ _id, n: 1 }, { event })],
    ['upsert', (_id, event) => things.updateOne({ _id }, inc, { event, ...upsert })],
    ['upsert by pipeline', (_id, event) => things.updateOne({ _id }, [{ $set: { n: 1 } }], { event, ...upsert })],
    [
      'upsert that no longer matches',
      (_id, event) => things.updateOne({ _id, n: { $exists: false } }, inc, { event, ...upsert }),
    ],
  ]
  for (const [title, write] of writes) {
    const _id = randomUUID()
    const attempt = attemptAt(0)
    await handleAndDie(attempt, event => write(_id, event))
    assert.equal(await handle(attempt, event => write(_id, event)), true, title)
    assert.deepEqual(await things.findOne({ _id }), { _id, n: 1 }, title)
    assert.equal(await stored.countDocuments({ _id }), 1)
  }
  // A document that is there for another reason is a duplicate, as it always is.
  const _id = randomUUID()
  await things.insertOne({ _id, n: 5 })
  await assert.rejects(
    handle(attemptAt(0), event => things.insertOne({ _id, n: 1 }, { event })),
    /E11000/,
  )
})

test('what a write returns tells whether the document is as the event wants it', async () => {
  const _id = randomUUID()
  const attempt = attemptAt(0)
  const results: unknown[] = []
  const write = async (event: object) => results.push(await things.updateOne({ _id }, inc, { event, ...upsert }))
  await handleAndDie(attempt, write)
  await handle(attempt, write)
  const next = { ...attempt, from: 1, to: 2 }
  await handleAndDie(next, async event => results.push(await things.findOneAndUpdate({ _id }, inc, { event })))
  await handle(next, async event => results.push(await things.findOneAndUpdate({ _id }, inc, { event })))
  assert.deepEqual(results, [
    { matched: 0, modified: 0, inserted: true },
    { matched: 1, modified: 0, inserted: false },
    { _id, n: 2 },
    { _id, n: 2 },
  ])
})

test('a filter that does not match is an effect as well; an upsert then neither inserts nor fails', async () => {
  const _id = randomUUID()
  const none = { matched: 0, modified: 0, inserted: false }
  const attempt = attemptAt(0)
  assert.equal(
    await handle(attempt, async event => {
      assert.deepEqual(await things.updateOne({ _id }, inc, { event }), none)
      // Nothing carries the event yet, so another write may.
      await things.insertOne({ _id, n: 9 }, { event })
    }),
    true,
  )
  const mismatch = (event: object) => things.updateOne({ _id, n: { $lt: 5 } }, inc, { event, ...upsert })
  await handle({ ...attempt, from: 1, to: 2 }, async event => assert.deepEqual(await mismatch(event), none))
  assert.deepEqual(await things.findOne({ _id }), { _id, n: 9 })
  assert.deepEqual(await inbox.read([attempt, attemptAt(0)]), [2, 0])
})

test('several documents are changed once each, also if the handler fails or dies between them', async () => {
  const [one, two] = [randomUUID(), randomUUID()]
  const attempt = attemptAt(0)
  const both = (between: () => void) => async (event: object) => {
    await things.updateOne({ _id: one }, inc, { event, ...upsert })
    between()
    await things.updateOne({ _id: two }, inc, { event, ...upsert })
  }
  const fail = () => {
    throw new RangeError('between')
  }
  await assert.rejects(handle(attempt, both(fail)), RangeError)
  assert.deepEqual(await inbox.read([attempt]), [0])
  const succeed = () => {}
  await handleAndDie(attempt, both(succeed))
  assert.equal(await handle(attempt, both(succeed)), true)
  assert.deepEqual(await things.find({ _id: { $in: [one, two] } }, { select: ['n'], sort: { _id: 1 } }), [
    ...[one, two].sort().map(_id => ({ _id, n: 1 })),
  ])
  await assert.rejects(
    handle({ ...attempt, from: 1, to: 2 }, async event => {
      await things.updateOne({ _id: one }, inc, { event })
      await things.updateOne({ _id: one }, inc, { event })
    }),
    /do both in one update/,
  )
})

test('events of many aggregates change the same document, and of one that numbers were left out of', async () => {
  const _id = randomUUID()
  const add = (event: object) => things.updateOne({ _id }, inc, { event, ...upsert })
  const attempts = Array.from({ length: 20 }, () => attemptAt(0))
  await Promise.all(attempts.map(attempt => handleAndDie(attempt, add)))
  await Promise.all(attempts.map(attempt => handle(attempt, add)))
  assert.equal((await things.findOne({ _id }))?.n, 20)
  const [first] = attempts
  await handle({ ...first, from: 1, to: 7 } as Attempt, add)
  await handle({ ...first, from: 7, to: 8 } as Attempt, add)
  assert.equal((await things.findOne({ _id }))?.n, 22)
  // Consumers are told apart.
  await handle({ ...first, consumer: 'blog.others' } as Attempt, add)
  assert.equal((await things.findOne({ _id }))?.n, 23)
})

test('the same event in many processes at the same time has one effect', async () => {
  const _id = randomUUID()
  const attempt = attemptAt(0)
  const ends = await Promise.allSettled(
    Array.from({ length: 10 }, () => handle(attempt, event => things.updateOne({ _id }, inc, { event, ...upsert }))),
  )
  assert.equal((await things.findOne({ _id }))?.n, 1)
  assert.ok(ends.some(end => end.status === 'fulfilled' && end.value))
  assert.deepEqual(await inbox.read([attempt]), [1])
})

test('a write of an attempt that has ended is refused, and the end waits for one that is on its way', async () => {
  let landed = 0
  for (let n = 0; n < 40; n++) {
    const _id = randomUUID()
    const event = {}
    inbox.begin(event, attemptAt(0))
    const underWay = things.updateOne({ _id }, inc, { event, ...upsert })
    const settled = underWay.then(
      () => true,
      () => false,
    )
    if (n % 2) await new Promise(resolve => setTimeout(resolve, n / 20))
    const ended = inbox.end(event, true)
    const late = [
      () => things.updateOne({ _id: `${_id} late` }, inc, { event, ...upsert }),
      () => things.insertOne({ _id: `${_id} late` }, { event }),
      () => inbox.record(event),
    ]
    for (const write of late) await assert.rejects(async () => write(), AlreadyHandledError)
    const recorded = await ended
    assert.equal(recorded, (await stored.countDocuments({ _id })) === 1)
    assert.equal(recorded, await settled)
    if (recorded) landed += 1
    else await assert.rejects(underWay, AlreadyHandledError)
    assert.equal(await stored.countDocuments({ _id: `${_id} late` }), 0)
  }
  assert.ok(landed < 40)
})

test('a handler that writes nothing records; one that does neither has not', async () => {
  const attempt = attemptAt(3, { from: 0, to: 4 })
  assert.equal(await handle(attempt, async () => {}), false)
  assert.deepEqual(await inbox.read([attempt]), [0])
  assert.equal(await handle(attempt, event => inbox.record(event)), true)
  assert.deepEqual(await inbox.read([attempt]), [4])
  await assert.rejects(async () => inbox.record({}), /not the event of a handler with the effect 'mongodb'/)
  await assert.rejects(things.updateOne({ _id: 'x' }, inc, { event: {} }), /not the event of a handler/)
})

test('an event without a number is handled without a mark', async () => {
  const _id = randomUUID()
  const attempt = attemptAt(0, { to: 0 })
  const add = (event: object) => things.updateOne({ _id }, inc, { event, ...upsert })
  assert.equal(await handle(attempt, add), true)
  assert.equal(await handle(attempt, add), true)
  assert.deepEqual(await stored.findOne({ _id }), { _id, n: 2 })
  assert.deepEqual(await inbox.read([attempt]), [0])
})

test('rows advance only from the number that is recorded, and a reset handles everything again', async () => {
  const attempt = attemptAt(0)
  const _id = randomUUID()
  assert.deepEqual(await Promise.all([inbox.advance(attempt), inbox.advance(attempt)]).then(both => both.sort()), [
    false,
    true,
  ])
  const next = { ...attempt, from: 1, to: 2 }
  assert.equal(await inbox.advance({ ...attempt, from: 5, to: 6 }), false)
  const add = (event: object) => things.updateOne({ _id }, inc, { event, ...upsert })
  await handle(next, add)
  const other = attemptAt(0, { consumer: 'blog.others' })
  await inbox.advance(other)
  const dying = attemptAt(0)
  await handleAndDie(dying, add)
  await inbox.reset('blog.things')
  assert.deepEqual(await inbox.read([attempt, other, dying]), [0, 1, 0])
  await assert.rejects(handle(next, add), AlreadyHandledError)
  await handle(attempt, add)
  await handle(next, add)
  await handle(dying, add)
  assert.equal((await things.findOne({ _id }))?.n, 5)
})

test('a handler may announce what it changes: both happen once', async () => {
  const store = mongo.outboxStore()
  const type = `t${randomUUID()}`
  const aggregates = mongo.collection<Thing>('aggregates', { aggregate: type })
  await store.prepare()
  const _id = randomUUID()
  const attempt = attemptAt(0)
  const handler = (event: object) =>
    mongo.change(async change => {
      await store.add(change, storedEvent(_id, { type }), { restart: false })
      await aggregates.updateOne({ _id }, inc, { event, change, ...upsert })
    })
  await handleAndDie(attempt, handler)
  await handle(attempt, handler)
  const stream = new TestStream()
  await stream.drain({ store } as never)
  assert.deepEqual(stream.numbers(_id), [1])
  assert.deepEqual(await aggregates.findOne({ _id }), { _id, n: 1 })
})
