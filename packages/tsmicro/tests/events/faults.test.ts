import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { roundTrip, until } from '../support/until.ts'
import { openStage, type Sent, sized } from './stage.ts'

const IDS = 20

const numbered = (count: number): Sent[] =>
  Array.from({ length: count }, (_, n) => ({ id: `i${n % IDS}`, n: Math.floor(n / IDS) + 1 }))

function assertInOrder(inbox: Awaited<ReturnType<typeof openStage>>['inbox'], count: number): void {
  assert.equal(inbox.effects.length, count)
  for (let id = 0; id < IDS; id++)
    assert.deepEqual(
      inbox.of(`i${id}`),
      Array.from({ length: count / IDS }, (_, n) => n + 1),
    )
}

test('NATS is killed and comes back: every event once, in order', async () => {
  const stage = await openStage()
  const { inbox, server } = stage
  const count = sized(4000)
  await stage.published(...numbered(count))
  const handle = async (event: { data: { n: number } }) => {
    await sleep(1)
    await inbox.record(event, event.data.n)
  }
  await Promise.all([stage.replica(handle), stage.replica(handle)])
  for (const share of [0.1, 0.3, 0.6]) {
    await until('it is in the middle', () => inbox.effects.length >= count * share)
    server.kill('SIGKILL')
    await server.restart()
  }
  await until('all have their effect', () => inbox.effects.length >= count)
  await stage.idle()
  assertInOrder(inbox, count)
})

test('the streams are wiped and filled again: every event once, in order', async () => {
  const stage = await openStage()
  const { inbox, server } = stage
  const count = 400
  const sent = numbered(count)
  await stage.published(...sent.slice(0, 300))
  const handle = async (event: { data: { n: number } }) => {
    await sleep(2)
    await inbox.record(event, event.data.n)
  }
  await Promise.all([stage.replica(handle), stage.replica(handle)])
  await until('it is in the middle', () => inbox.effects.length >= 100)
  server.kill('SIGKILL')
  await rm(join(stage.dataDir, 'jetstream'), { recursive: true, force: true })
  await server.restart()
  await roundTrip(stage.nats)
  await stage.makeStreams()
  await stage.published(...sent)
  await until('all have their effect', () => inbox.effects.length >= count)
  await stage.idle()
  assertInOrder(inbox, count)
})

test('a consumer that somebody has deleted is made again', async () => {
  const stage = await openStage()
  const { inbox } = stage
  await stage.replica(event => inbox.record(event, event.data.n))
  await stage.published({ id: 'a', n: 1 })
  await until('it is handled', () => inbox.of('a').length === 1)
  await stage.js.deleteConsumer('EVENTS_item', 'stock_items')
  await stage.published({ id: 'a', n: 2 })
  await until('the next one is handled', () => inbox.of('a').length === 2)
  assert.deepEqual(inbox.of('a'), [1, 2])
})
