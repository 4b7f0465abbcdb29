import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import { createNatsBroadcast, implement, NatsClient, on } from 'tsmicro'
import { createCacheStore } from 'tsmicro/cache'
import { contract, event, procedure } from 'tsmicro/contract'
import { createMongo, createMongoMembership } from 'tsmicro/mongo'
import { createPostgres } from 'tsmicro/postgres'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const servers: Awaited<ReturnType<typeof startAll>>[number][] = []
const startAll = () =>
  Promise.all([
    startNats({ ephemeral: true }),
    startDocuments({ ephemeral: true }),
    startPostgres({ ephemeral: true, database: 'stop' }),
  ])
before(async () => {
  servers.push(...(await startAll()))
})
after(() => Promise.all(servers.map(server => server.stop())))

const shop = contract('shop', {
  buy: procedure({ http: 'POST /', access: 'open', output: Type.Object({}) }),
  sold: event({ subject: 'goods.sold', aggregate: 'id', data: Type.Object({ id: Type.String() }) }),
})

/** A service with every kind of dependency, and requests that wait for all of them. */
async function open(drainTimeoutMs: number) {
  const [natsServer, documents, database] = servers
  assert.ok(natsServer && documents && database)
  const mongo = createMongo({ url: documents.url, database: 'stop', serverSelectionTimeoutMs: 500 })
  const postgres = createPostgres<{ written: { id: number } }>({ url: database.url })
  // Whoever waits for the next attempt to come back waits long.
  const nats = new NatsClient({ url: natsServer.url, name: 'shop', reconnectWaitMs: 120_000 })
  const registry = createMongoMembership(mongo, 'replicas')
  const store = createCacheStore({ replicas: { registry, bus: createNatsBroadcast(nats, '_TSMICRO.cache.shop') } })
  const cache = store.cache<number>('c')
  let working = 0
  const made = await serve({
    nats,
    dependencies: [mongo, postgres, store],
    drainTimeoutMs,
    handlers: [
      implement(shop, {
        async buy() {
          working++
          const rows = mongo.collection<{ _id: number }>('rows')
          await Promise.all([rows.insertOne({ _id: working }), postgres.check(), cache.delete('k')])
          return {}
        },
      }),
      on(shop.sold, { name: 'events', effect: 'idempotent' }, () => undefined),
    ],
  })
  return { ...made, store, working: () => working }
}

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`all servers gone (${signal}): a service that has to stop stops`, async () => {
    const { service, log, nats, store, working } = await open(signal === 'SIGKILL' ? 20_000 : 500)
    await until('it shares its cache', () => store.sharing)
    for (const server of servers) server.kill(signal)
    try {
      if (signal === 'SIGKILL') await until('NATS is missed', () => !nats.connected)
      const answers = Promise.allSettled(
        Array.from({ length: 3 }, () => fetch(service.url, { method: 'POST', signal: AbortSignal.timeout(30_000) })),
      )
      await until('requests wait', () => working() === 3)
      await service.stop()
      assert.equal(log.lines.at(-1)?.message, 'shop has stopped')
      // The stop did not give up on anything whose server is certainly gone.
      if (signal === 'SIGKILL')
        assert.deepEqual(
          log.lines.filter(({ message }) => message.startsWith('gave up')),
          [],
        )
      await answers
    } finally {
      if (signal === 'SIGSTOP') for (const server of servers) server.kill('SIGCONT')
      else await Promise.all(servers.map(server => server.restart()))
    }
  })
}
