import { after, before } from 'node:test'
import { createCacheStore } from 'tsmicro/cache'
import { cacheSuite, type Opened } from './suite.ts'
import { openReplica, redisUsed, type Servers, sharing, startServers, withoutRedis } from './support/servers.ts'

let servers: Servers
const opened = new AsyncDisposableStack()
before(async () => {
  servers = await startServers({ redis: true })
})
after(async () => {
  await opened.disposeAsync()
  await servers?.[Symbol.asyncDispose]()
})

/** A group of two; the other replica only answers. */
async function withReplica(redis?: string): Promise<Opened> {
  const group = `semantics-${redis !== undefined}-${count++}`
  let warnings = 0
  const log = { info: () => {}, warn: () => void warnings++ }
  const patient = { group, redis, leaseMs: 30_000, limitMs: 90_000 }
  const [one, two] = await Promise.all([openReplica(servers, { ...patient, log }), openReplica(servers, patient)])
  opened.use(one)
  opened.use(two)
  await sharing(one, two)
  if (redis !== undefined) await redisUsed(one, two)
  two.store.cache<number>('c')
  const before = warnings
  return { store: one.store, disturbed: () => warnings > before }
}
let count = 0

cacheSuite('memory', false, async () => ({ store: createCacheStore(), disturbed: () => false }))
cacheSuite('replicas', false, () => withReplica())
cacheSuite('replicas and Redis', withoutRedis, () => withReplica(servers.redis?.url))
