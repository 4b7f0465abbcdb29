import { after, before } from 'node:test'
import { type CacheStore, createCacheStore } from 'tsmicro/cache'
import { cacheSuite } from './suite.ts'
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
async function withReplica(redis?: string): Promise<CacheStore> {
  const group = `semantics-${redis !== undefined}-${count++}`
  const [one, two] = await Promise.all([openReplica(servers, { group, redis }), openReplica(servers, { group, redis })])
  opened.use(one)
  opened.use(two)
  await sharing(one, two)
  if (redis !== undefined) await redisUsed(one, two)
  two.store.cache<number>('c')
  return one.store
}
let count = 0

cacheSuite('memory', false, async () => createCacheStore())
cacheSuite('replicas', false, () => withReplica())
cacheSuite('replicas and Redis', withoutRedis, () => withReplica(servers.redis?.url))
