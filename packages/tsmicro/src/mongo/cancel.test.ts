import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocuments } from '@tsmicro/infra'
import { DEADLINE_EXCEEDED } from '../errors/index.ts'
import { createMongo } from './index.ts'

interface Row {
  _id: number
}

const server = await startDocuments({ ephemeral: true })
const current = new AsyncLocalStorage<AbortSignal>()
const mongo = createMongo({ url: server.url, database: 'cancel', poolSize: 4, currentSignal: () => current.getStore() })
const rows = mongo.collection<Row>('rows')
await mongo.connect()
for (let _id = 0; _id < 50; _id++) await rows.insertOne({ _id })
after(async () => {
  await mongo.close()
  await server.stop()
})
const gone = new Error('the caller went away')
const reads = () => [rows.findOne({ _id: 1 }), rows.find({}), rows.count({}), rows.aggregate([{ $match: {} }])]

test('reads from a server that does not answer end with the signal’s reason; the pool is complete afterwards', async () => {
  for (const reason of [gone, new DEADLINE_EXCEEDED()]) {
    const controller = new AbortController()
    server.kill('SIGSTOP')
    try {
      // More than there are connections.
      const waiting = current.run(controller.signal, () => [...reads(), ...reads(), ...reads()])
      const ended = Promise.all(
        waiting.map(read => assert.rejects(read as Promise<unknown>, error => error === reason)),
      )
      await sleep(10)
      controller.abort(reason)
      await ended
    } finally {
      server.kill('SIGCONT')
    }
    const found = await Promise.all(Array.from({ length: 40 }, (_, _id) => rows.findOne({ _id })))
    assert.deepEqual(
      found.map(row => row?._id),
      [...Array(40).keys()],
    )
  }
})

test('a read’s own signal takes precedence over the current one', async () => {
  const { signal } = new AbortController()
  assert.deepEqual(await current.run(AbortSignal.abort(gone), () => rows.findOne({ _id: 3 }, { signal })), { _id: 3 })
  await assert.rejects(
    current.run(AbortSignal.abort(gone), () => rows.findOne({ _id: 3 })),
    error => error === gone,
  )
})

test('changes are completed without their caller', async () => {
  const controller = new AbortController()
  const change = current.run(controller.signal, () => rows.insertOne({ _id: 1000 }))
  controller.abort(gone)
  await change
  assert.equal(await rows.count({ _id: 1000 }), 1)
})

test('many rounds with aborted reads among others: every read gets its own answer', async () => {
  let ended = 0
  await Promise.all(
    Array.from({ length: 12 }, async (_, worker) => {
      for (let round = 0; round < 30; round++) {
        const _id = (worker * 7 + round) % 50
        const controller = new AbortController()
        if (worker % 2 === 1) setTimeout(() => controller.abort(gone), Math.random() * 6)
        const read = current.run(controller.signal, () => rows.findOne({ _id }))
        await read.then(
          row => assert.equal(row?._id, _id),
          error => {
            assert.equal(error, gone)
            assert.equal(worker % 2, 1)
            ended++
          },
        )
      }
    }),
  )
  assert.ok(ended > 0)
  assert.equal(await rows.count({}), 51)
})
