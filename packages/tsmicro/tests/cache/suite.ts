import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheStore } from 'tsmicro/cache'
import { until } from '../support/until.ts'

/** What every store does, with any layer below and any replicas. */
export function cacheSuite(kind: string, skip: string | false, open: () => Promise<CacheStore>): void {
  const deferred = <T>() => Promise.withResolvers<T>()

  test(`${kind}: get, set, delete, deleteMany, clear`, { skip }, async () => {
    const cache = (await open()).cache<number>('c')
    assert.equal(await cache.get('a'), undefined)
    await cache.set('a', 1)
    await cache.set('b', 2)
    await cache.set('c', 3)
    assert.equal(await cache.get('a'), 1)
    await cache.delete('a')
    assert.equal(await cache.get('a'), undefined)
    await cache.deleteMany(['b', 'missing'])
    assert.equal(await cache.get('b'), undefined)
    assert.equal(await cache.get('c'), 3)
    await cache.clear()
    assert.equal(await cache.get('c'), undefined)
  })

  test(`${kind}: hostile keys are ordinary keys`, { skip }, async () => {
    const cache = (await open()).cache<string>('c')
    for (const key of ['__proto__', 'constructor', '', ':', '___bc:t:x', 'a:b', '\0']) {
      await cache.set(key, key)
      assert.equal(await cache.get(key), key)
      await cache.delete(key)
      assert.equal(await cache.get(key), undefined)
    }
  })

  test(`${kind}: concurrent callers share one factory call; later ones find the value`, { skip }, async () => {
    const cache = (await open()).cache<number>('c')
    const gate = deferred<number>()
    let calls = 0
    const factory = () => {
      calls++
      return gate.promise
    }
    const all = Array.from({ length: 50 }, () => cache.getOrSet('k', factory))
    gate.resolve(7)
    assert.deepEqual(new Set(await Promise.all(all)), new Set([7]))
    assert.equal(await cache.getOrSet('k', factory), 7)
    assert.equal(calls, 1)
  })

  test(`${kind}: an error reaches all who wait and is not kept`, { skip }, async () => {
    const cache = (await open()).cache<number>('c')
    const gate = deferred<number>()
    const all = Array.from({ length: 5 }, () => cache.getOrSet('k', () => gate.promise))
    const error = new Error('database')
    gate.promise.catch(() => undefined)
    gate.reject(error)
    for (const result of await Promise.allSettled(all)) {
      assert.equal(result.status === 'rejected' && result.reason, error)
    }
    assert.equal(await cache.getOrSet('k', () => 1), 1)
    await assert.rejects(
      cache.getOrSet('sync', () => {
        throw error
      }),
      error,
    )
  })

  test(`${kind}: undefined is not kept, null is`, { skip }, async () => {
    const cache = (await open()).cache<number | null | undefined>('c')
    assert.equal(await cache.getOrSet('u', () => undefined), undefined)
    assert.equal(await cache.getOrSet('u', () => 1), 1)
    assert.equal(await cache.getOrSet('n', () => null), null)
    assert.equal(await cache.getOrSet('n', () => 1), null)
    await cache.set('n', undefined)
    assert.equal(await cache.get('n'), undefined)
  })

  test(`${kind}: no caller can change what others get`, { skip }, async () => {
    const cache = (await open()).cache<{ n: number; list: number[] }>('c')
    const made = { n: 1, list: [1] }
    const gate = deferred<typeof made>()
    const pair = [1, 2].map(() => cache.getOrSet('k', () => gate.promise))
    gate.resolve(made)
    const [first, second] = await Promise.all(pair)
    first?.list.push(99)
    made.list.push(98)
    const found = await cache.get('k')
    found?.list.push(97)
    assert.deepEqual(second, { n: 1, list: [1] })
    assert.deepEqual(await cache.get('k'), { n: 1, list: [1] })
    const set = { n: 2, list: [2] }
    await cache.set('s', set)
    set.list.push(96)
    assert.deepEqual(await cache.get('s'), { n: 2, list: [2] })
  })

  test(`${kind}: a caller's abort ends its own wait only`, { skip }, async () => {
    const cache = (await open()).cache<number>('c')
    const gate = deferred<number>()
    const leaving = new AbortController()
    let flightSignal: AbortSignal | undefined
    const first = cache.getOrSet(
      'k',
      ({ signal }) => {
        flightSignal = signal
        return gate.promise
      },
      { signal: leaving.signal },
    )
    const second = cache.getOrSet('k', () => 0)
    await until('it is so', () => flightSignal !== undefined)
    leaving.abort(new Error('client left'))
    await assert.rejects(first, /client left/)
    assert.equal(flightSignal?.aborted, false)
    gate.resolve(5)
    assert.equal(await second, 5)
    assert.equal(await cache.get('k'), 5)
  })

  test(`${kind}: when all have left, the fetch is aborted and the next caller starts a new fetch`, {
    skip,
  }, async () => {
    const cache = (await open()).cache<number>('c')
    const gate = deferred<number>()
    const leaving = new AbortController()
    let flightSignal: AbortSignal | undefined
    const factory = ({ signal }: { signal: AbortSignal }) => {
      flightSignal = signal
      return gate.promise
    }
    const all = [1, 2].map(() => cache.getOrSet('k', factory, { signal: leaving.signal }))
    await until('it is so', () => flightSignal !== undefined)
    leaving.abort(new Error('gone'))
    for (const result of await Promise.allSettled(all)) assert.equal(result.status, 'rejected')
    assert.equal(flightSignal?.aborted, true)
    assert.equal(await cache.getOrSet('k', () => 2), 2)
    gate.resolve(1)
    await gate.promise
    assert.equal(await cache.get('k'), 2)
    await assert.rejects(
      cache.getOrSet('k', () => 3, { signal: leaving.signal }),
      /gone/,
    )
  })

  test(`${kind}: deleteByTag takes all with the tag, also tags taken from the value`, { skip }, async () => {
    const cache = (await open()).cache<{ author: string }>('c')
    const tags = (value: { author: string }) => [`author:${value.author}`]
    await cache.getOrSet('1', () => ({ author: 'ann' }), { tags })
    await cache.getOrSet('2', () => ({ author: 'bob' }), { tags: ['all', 'author:bob'] })
    await cache.set('3', { author: 'ann' }, { tags })
    await cache.deleteByTag('author:ann')
    assert.equal(await cache.get('1'), undefined)
    assert.deepEqual(await cache.get('2'), { author: 'bob' })
    assert.equal(await cache.get('3'), undefined)
    await cache.set('3', { author: 'ann' }, { tags })
    assert.deepEqual(
      await cache.get('3'),
      { author: 'ann' },
      'set right after the invalidation, in the same millisecond',
    )
  })

  test(`${kind}: a value is gone after its time`, { skip }, async () => {
    const cache = (await open()).cache<number>('c')
    await cache.set('short', 1, { ttlMs: 1 })
    await cache.set('long', 2)
    await until('it is so', async () => (await cache.get('short')) === undefined)
    assert.equal(await cache.get('long'), 2)
  })
}
