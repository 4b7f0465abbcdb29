import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNatsBroadcast, NatsClient } from 'tsmicro'
import { createCacheStore } from 'tsmicro/cache'
import { createMongo, createMongoMembership } from 'tsmicro/mongo'
import { RecordedLog } from '../support/log.ts'
import { build } from '../support/service.ts'
import { until } from '../support/until.ts'
import { GROUPS, openReplica, type Servers, SUBJECT, sharing, startServers } from './support/servers.ts'

let servers: Servers
before(async () => {
  servers = await startServers()
})
after(() => servers?.[Symbol.asyncDispose]())

const LOST = /^the cache is not used, its replicas cannot be reached: .+$/

test('a service starts without a warning; the loss of NATS and its return are one line each', async () => {
  const log = new RecordedLog()
  const nats = new NatsClient({ url: servers.nats.url, name: 'shop', reconnectWaitMs: 50 })
  const mongo = createMongo({ url: servers.documents.url, database: 'cache' })
  const registry = createMongoMembership(mongo, GROUPS, 'service')
  const store = createCacheStore({ replicas: { registry, bus: createNatsBroadcast(nats, `${SUBJECT}.service`) }, log })
  await using made = build({ nats, dependencies: [mongo, store] })
  await made.service.start()
  await sharing({ store })
  const connected = made.log.at('info').filter(({ message }) => message.endsWith(' is connected'))
  assert.deepEqual(
    connected.map(({ message }) => message),
    ['nats is connected', 'mongo is connected', 'cache is connected'],
  )
  assert.deepEqual(made.log.at('warn'), [])
  assert.deepEqual(log.lines, [{ level: 'info', message: 'the cache is shared with its replicas', fields: {} }])
  servers.nats.kill('SIGKILL')
  try {
    await until('the loss is told', () => log.lines.length === 2)
  } finally {
    await servers.nats.restart()
  }
  await until('the return is told', () => log.lines.length === 3)
  const [loss, ...others] = log.at('warn')
  assert.match(loss?.message ?? '', LOST)
  assert.deepEqual([loss?.fields, others], [{}, []])
  await made.service.stop()
  assert.deepEqual(log.at('warn'), [loss])
})

test('missing replicas are reported after a while, once', async () => {
  const log = new RecordedLog()
  // Never connected.
  const nats = new NatsClient({ url: servers.nats.url, name: 'test' })
  await using other = await openReplica(servers)
  const bus = createNatsBroadcast(nats, `${SUBJECT}.missed`)
  const store = createCacheStore({ replicas: { registry: other.registry, bus }, log })
  await store.connect()
  try {
    await until('they are missed', () => log.lines.length > 0)
    assert.match(log.lines[0]?.message ?? '', LOST)
    await nats.connect()
    await sharing({ store })
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['warn', 'info'],
    )
  } finally {
    await store.close()
    await nats.close()
  }
})
