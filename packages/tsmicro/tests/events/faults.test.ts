import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startNats } from '@tsmicro/infra'
import { NatsClient } from 'tsmicro'
import { DeadLetters } from '../../src/events/dead-letters.ts'
import { roundTrip, until } from '../support/until.ts'
import { assertInOrder, numbered, openStage } from './stage.ts'

test('the streams are wiped and filled again: every event once, in order', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-events-'))
  const server = await startNats({ dataDir })
  after(async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const stage = await openStage({
    client: (name, options) => new NatsClient({ ...options, url: server.url, name, reconnectWaitMs: 20 }),
  })
  const { inbox } = stage
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
  await rm(join(dataDir, 'jetstream'), { recursive: true, force: true })
  await server.restart()
  await roundTrip(stage.nats)
  await stage.makeStreams()
  await stage.published(...sent)
  await until('all have their effect', () => inbox.effects.length >= count)
  await stage.idle()
  assertInOrder(inbox, count)
})

test('the stream of dead letters alone is lost: what is kept in the next one is known to all instances', async () => {
  const server = await startNats({ ephemeral: true })
  after(() => server.stop())
  const { nats, js, makeStreams } = await openStage({
    client: (name, options) => new NatsClient({ ...options, url: server.url, name }),
  })
  const [one, other] = [1, 2].map(() => new DeadLetters(js, 'stock', 'items', 'item'))
  assert.ok(one && other)
  const keep = (aggregateId: string) => {
    const names = { 'ce-specversion': '1.0', 'ce-id': aggregateId, 'ce-type': 'item.created', 'ce-source': 'shop' }
    const headers = { ...names, 'ce-time': new Date().toISOString(), 'ce-aggregateid': aggregateId }
    const place = { aggregateId, number: undefined, first: 1, sequence: 1, fresh: false }
    return other.keep({ ...place, subject: 'item.created', headers, text: () => '{}' }, new Error('poison'), 1)
  }
  for (const id of ['a', 'b', 'c']) await keep(id)
  await one.load()
  await nats.exchange('$JS.API.STREAM.DELETE.DEAD_stock', '', { timeoutMs: 60_000 })
  await makeStreams()
  await keep('d')
  await one.follow()
  assert.deepEqual([...one.parked], ['a', 'b', 'c', 'd'])
})

test('a stream comes back shorter than its consumer remembers: what is sent again is handled, once', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-shorter-'))
  const server = await startNats({ dataDir })
  after(async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const stage = await openStage({
    client: (name, options) => new NatsClient({ ...options, url: server.url, name, reconnectWaitMs: 20 }),
  })
  const { inbox } = stage
  const sent = numbered(60)
  const messages = join(dataDir, 'jetstream', '$G', 'streams', 'EVENTS_item', 'msgs')
  const copy = join(dataDir, 'copy')
  const restarted = async (change: () => Promise<unknown>) => {
    await server.stop()
    await change()
    await server.restart()
    await roundTrip(stage.nats)
  }
  await stage.published(...sent.slice(0, 20))
  await restarted(() => cp(messages, copy, { recursive: true }))
  await stage.published(...sent.slice(20, 40))
  const first = await stage.replica(event => inbox.record(event, event.data.n))
  await until('they are handled', () => inbox.effects.length === 40)
  await stage.idle()
  await first.stop()
  await restarted(async () => {
    await rm(messages, { recursive: true })
    await cp(copy, messages, { recursive: true })
  })
  assert.equal((await stage.js.stream('EVENTS_item'))?.state.last_seq, 20)
  await stage.replica(event => inbox.record(event, event.data.n))
  await stage.published(...sent.slice(20))
  await until('all have their effect', () => inbox.effects.length >= 60)
  await stage.idle()
  assertInOrder(inbox, 60)
})
