import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type CacheBus, createCacheStore, type ReplicaRegistry } from './index.ts'

// What holds for every store is in tests/cache, where it is tried with replicas and Redis, too.

test('the caches of a store are separate; a name can be used only once', async () => {
  const store = createCacheStore()
  const one = store.cache<number>('one')
  const two = store.cache<number>('two')
  await one.set('k', 1)
  await two.set('k', 2)
  await one.clear()
  assert.equal(await one.get('k'), undefined)
  assert.equal(await two.get('k'), 2)
  assert.throws(() => store.cache<number>('one'), /already exists/)
  assert.throws(() => store.cache<number>('one:more'), TypeError)
  await store.connect()
  await store.check()
  await store.close()
})

test('the least recently used values are evicted first, whatever their tags', async () => {
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

// All of this happens in timers and listeners, where a throw ends the process.
test('a log that throws, or a registry that throws instead of rejecting, does not end the process', {
  timeout: 30_000,
}, async () => {
  let [beat, removals, lines] = [0, 0, 0]
  const generation = { number: 1, id: 'g', server: '' }
  const own = { id: '' }
  const state = () => {
    const member = { leaseMs: 300, out: false }
    return {
      generation,
      members: new Map([
        ['ghost', { ...member, leaseMs: 1, beat: 1 }],
        [own.id, { ...member, beat: ++beat }],
      ]),
    }
  }
  const registry: ReplicaRegistry = {
    async join(id) {
      own.id = id
      return state()
    },
    renew: async () => state(),
    read: async () => state(),
    putOut: async () => state(),
    replaceGeneration: async () => state(),
    leave: async () => undefined,
    remove() {
      removals++
      throw new Error('thrown, not rejected')
    },
  }
  let heard: (text: string) => void = () => undefined
  const bus: CacheBus = {
    listen: (_, listener) => {
      heard = text => listener.heard(text)
    },
    send: text => heard(text),
    close: () => undefined,
  }
  const say = () => {
    lines++
    throw new Error('the log is full')
  }
  const store = createCacheStore({ replicas: { registry, bus, leaseMs: 300 }, log: { info: say, warn: say } })
  await store.connect()
  while (!(store.sharing && removals > 1)) await setTimeout(10)
  assert.ok(lines > 0)
  heard('{"v":1,"type":"forget","round":"r","from":"x","generation":9,"marks":[["c",["k1"]]]}')
  await store.close()
})

test('Redis without a registry, or with an invalid URL, is refused in one line', () => {
  const replicas = {} as never
  assert.throws(() => createCacheStore({ redis: { url: 'redis://127.0.0.1' } }), /^TypeError: .*needs replicas/)
  assert.throws(() => createCacheStore({ replicas, redis: { url: 'http://secret@h' } }), /^TypeError: (?!.*secret)/)
  assert.throws(() => createCacheStore({ replicas, redis: { url: 'redis://h', prefix: '{}' } }), TypeError)
})

test('the callers of a frozen cache get the same value, which nobody can change', async () => {
  const cache = createCacheStore().cache<{ list: { n: number }[] }>('c', { frozen: true })
  const made = { list: [{ n: 1 }] }
  const [first, second] = await Promise.all([cache.getOrSet('k', () => made), cache.getOrSet('k', () => made)])
  made.list.push({ n: 2 })
  assert.deepEqual(first, { list: [{ n: 1 }] })
  for (const found of [second, await cache.get('k'), await cache.getOrSet('k', () => made)]) assert.equal(found, first)
  assert.throws(() => first.list.push({ n: 3 }), TypeError)
  assert.throws(() => Object.assign(first.list[0] ?? {}, { n: 4 }), TypeError)
  await cache.delete('k')
  assert.deepEqual((await cache.getOrSet('k', () => made)).list, [{ n: 1 }, { n: 2 }])
})

test('a caller’s signal that is a function is asked for only if there is something to wait for', async () => {
  const cache = createCacheStore().cache<number>('c')
  const leaving = new AbortController()
  let asked = 0
  const signal = () => {
    asked++
    return leaving.signal
  }
  assert.equal(await cache.getOrSet('k', () => 1, { signal }), 1)
  assert.equal(await cache.getOrSet('k', () => 2, { signal }), 1)
  assert.equal(asked, 1)
  const waiting = cache.getOrSet('other', () => new Promise<never>(() => {}), { signal })
  leaving.abort(new Error('gone'))
  await assert.rejects(waiting, /gone/)
})
