import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NatsClient } from 'tsmicro'
import type { Cache, CacheStore } from 'tsmicro/cache'
import { createMongo } from 'tsmicro/mongo'
import { createBlogService, loadEnv } from '../src/index.ts'
import { createStore } from '../src/startup/module.ts'
import { sender } from './support/http.ts'
import { startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000

/** Replaces one method of an object. */
const replacing = <T extends object, K extends keyof T>(object: T, name: K, method: T[K]): T =>
  new Proxy(object, {
    get(target, key) {
      if (key === name) return method
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

/** The same store, but no answer expires within a test. */
function keeping(store: CacheStore): CacheStore {
  const longer = <T>(cache: Cache<T>): Cache<T> =>
    replacing(cache, 'getOrSet', (key, factory, options) =>
      cache.getOrSet(key, factory, { ...options, ttlMs: HOUR_MS }),
    )
  return replacing(store, 'cache', ((name: string, options: object) =>
    longer(store.cache<object>(name, options))) as never)
}

test('a session that has ended is refused by every instance once that is announced, whatever they have cached', async () => {
  await using it = await startPlatform()
  await using started = new AsyncDisposableStack()
  const env = loadEnv(it.environment)
  const instances = [1, 2].map(() => {
    const mongo = createMongo({ url: it.documents.url, database: env.MONGODB_DATABASE })
    const nats = new NatsClient({ url: it.nats.url, name: 'blog' })
    const store = keeping(createStore(env, mongo, nats))
    return started.adopt(createBlogService(env, { mongo, nats, store }), blog => blog.stop())
  })
  for (const instance of instances) await instance.start()
  const user = await it.auth.signUp('AUTHOR')
  const other = await it.auth.signUp('AUTHOR')
  const statuses = ({ token }: typeof user) =>
    Promise.all(instances.map(async ({ url }) => (await sender(() => url)('GET /author/drafts', { token })).status))
  assert.deepEqual(await statuses(user), [200, 200])
  assert.deepEqual(await statuses(other), [200, 200])
  const asked = it.auth.asked
  assert.deepEqual(await statuses(user), [200, 200])
  assert.equal(it.auth.asked, asked, 'both have cached it')
  await it.auth.endSession(user)
  await until(
    () => statuses(user),
    found => found.every(status => status === 401),
  )
  const since = it.auth.asked
  assert.deepEqual(await statuses(other), [200, 200])
  assert.equal(it.auth.asked, since, 'no other session is concerned')
})
