import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { until } from '../support/until.ts'
import { startLoad } from './support/load.ts'
import { spawnReplica } from './support/remote.ts'
import { openReplica, type Servers, sharing, startServers } from './support/servers.ts'
import type { Row } from './support/watch.ts'

let servers: Servers
before(async () => {
  servers = await startServers()
})
after(() => servers?.[Symbol.asyncDispose]())

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`NATS ${signal}: reads go to the database, changes are answered, nothing is stale; all by itself again`, async () => {
    await using a = await openReplica(servers, { group: signal })
    await using b = await openReplica(servers, { group: signal })
    await sharing(a, b)
    const caches = [a, b].map(({ store }) => store.cache<Row>('rows'))
    await using load = startLoad(caches)
    await load.hits(50)
    await load.changes(10)
    servers.nats.kill(signal)
    try {
      await until('both serve nothing', () => !a.store.sharing && !b.store.sharing)
      const { hits } = load.watched
      await load.changes(5)
      await load.reads(100)
      assert.ok(load.watched.hits - hits < 50, 'reads go to the database')
    } finally {
      if (signal === 'SIGKILL') await servers.nats.restart()
      else servers.nats.kill('SIGCONT')
    }
    await sharing(a, b)
    await load.hits(50)
    await load.changes(10)
    assert.equal(load.watched.refused, 0)
  })
}

test('values kept before NATS was lost are not served when it is back', async () => {
  await using a = await openReplica(servers, { group: 'missed' })
  await using b = await openReplica(servers, { group: 'missed' })
  await sharing(a, b)
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows'))
  assert.ok(one && other)
  await other.getOrSet('k', () => ({ version: 1 }))
  servers.nats.kill('SIGKILL')
  try {
    await one.delete('k')
  } finally {
    await servers.nats.restart()
  }
  await sharing(a, b)
  assert.equal(await other.get('k'), undefined)
})

test('the database killed: nothing is served when the leases have ended, changes are refused; all by itself again', async () => {
  await using a = await openReplica(servers, { group: 'database', leaseMs: 1000 })
  await using b = await openReplica(servers, { group: 'database', leaseMs: 1000 })
  await sharing(a, b)
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows'))
  assert.ok(one && other)
  await other.getOrSet('k', () => ({ version: 1 }))
  servers.documents.kill('SIGKILL')
  try {
    await assert.rejects(one.delete('k'), /SERVICE_UNAVAILABLE|DEADLINE_EXCEEDED/)
    await until('both serve nothing', () => !a.store.sharing && !b.store.sharing)
    assert.equal(await other.get('k'), undefined)
  } finally {
    await servers.documents.restart()
  }
  await sharing(a, b)
  await other.getOrSet('k', () => ({ version: 2 }))
  await one.delete('k')
  assert.equal(await other.get('k'), undefined)
})

test('a failed invalidation is repeated until the others have received it, though nobody asks again', async () => {
  let broken = false
  const beforeRead = () => assert.ok(!broken, 'the registry cannot be read')
  await using a = await openReplica(servers, { group: 'refused', beforeRead })
  await using b = await openReplica(servers, { group: 'refused' })
  await sharing(a, b)
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows'))
  assert.ok(one && other)
  await other.getOrSet('k', () => ({ version: 1 }))
  broken = true
  await assert.rejects(one.delete('k'), /cannot be read/)
  assert.deepEqual(await other.get('k'), { version: 1 })
  broken = false
  await until('the others have heard', async () => (await other.get('k')) === undefined)
})

test('an invalidation fails in time even if the registry never answers, and is repeated when it does', async () => {
  const answers = Promise.withResolvers<void>()
  let hangs = false
  const beforeRead = () => (hangs ? answers.promise : undefined)
  await using a = await openReplica(servers, { group: 'hanging', beforeRead, limitMs: 300 })
  await using b = await openReplica(servers, { group: 'hanging' })
  await sharing(a, b)
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows'))
  assert.ok(one && other)
  await other.getOrSet('k', () => ({ version: 1 }))
  hangs = true
  await assert.rejects(one.delete('k'), SERVICE_UNAVAILABLE)
  assert.deepEqual(await other.get('k'), { version: 1 })
  hangs = false
  answers.resolve()
  await until('the others have heard', async () => (await other.get('k')) === undefined)
})

test('closing ends waits for a hanging replica', async () => {
  const slow = { group: 'closing', leaseMs: 60_000 }
  await using a = await openReplica(servers, { ...slow, limitMs: 120_000 })
  await using other = spawnReplica(servers, slow.group, slow.leaseMs)
  await sharing(a)
  await until('both share', async () => (await other.read(1)).sharing)
  other.kill('SIGSTOP')
  const refused = assert.rejects(a.store.cache<Row>('rows').delete('k'), SERVICE_UNAVAILABLE)
  await a.store.close()
  await refused
})
