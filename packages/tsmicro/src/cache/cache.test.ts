import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCacheStore } from './index.ts'

// What holds for every store is in tests/cache, where it is tried with replicas and Redis, too.

test('caches of a store are apart; a name is used once', async () => {
  const store = createCacheStore()
  const one = store.cache<number>('one')
  const two = store.cache<number>('two')
  await one.set('k', 1)
  await two.set('k', 2)
  await one.clear()
  assert.equal(await one.get('k'), undefined)
  assert.equal(await two.get('k'), 2)
  assert.throws(() => store.cache<number>('one'), /exists already/)
  assert.throws(() => store.cache<number>('one:more'), TypeError)
  await store.connect()
  await store.check()
  await store.close()
})

test('the least recently used values go first, whatever the tags', async () => {
  const cache = createCacheStore({ maxItems: 10 }).cache<number>('c')
  await cache.set('tagged', 1, { tags: ['t'] })
  await cache.deleteByTag('t')
  for (let n = 0; n < 30; n++) await cache.set(`k${n}`, n)
  assert.equal(await cache.get('tagged'), undefined)
  assert.equal(await cache.get('k0'), undefined)
  assert.equal(await cache.get('k29'), 29)
  const small = createCacheStore({ maxSizeBytes: 2000 }).cache<string>('c')
  for (let n = 0; n < 30; n++) await small.set(`k${n}`, 'x'.repeat(300))
  assert.equal(await small.get('k0'), undefined)
  assert.ok(await small.get('k29'))
})

test('Redis without a registry, or at no address of its kind, is refused in one line', () => {
  const replicas = {} as never
  assert.throws(() => createCacheStore({ redis: { url: 'redis://127.0.0.1' } }), /^TypeError: .*needs replicas/)
  assert.throws(() => createCacheStore({ replicas, redis: { url: 'http://secret@h' } }), /^TypeError: (?!.*secret)/)
  assert.throws(() => createCacheStore({ replicas, redis: { url: 'redis://h', prefix: '{}' } }), TypeError)
})
