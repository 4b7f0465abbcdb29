import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheStore } from 'tsmicro/cache'
import { until } from '../support/until.ts'

export interface Opened {
  readonly store: CacheStore
  /** Whether it was without its lease or without Redis meanwhile, as a busy machine lets it be: then it may forget what it was given. */
  disturbed(): boolean
}

/** What every store does, with any layer below and any replicas. */
export function cacheSuite(kind: string, skip: string | false, open: () => Promise<Opened>): void {
  const deferred = <T>() => Promise.withResolvers<T>()
  const it = (what: string, body: (store: CacheStore) => Promise<void>) =>
    test(`${kind}: ${what}`, { skip }, async () => {
      for (let attempt = 1; ; attempt++) {
        const { store, disturbed } = await open()
        try {
          return await body(store)
        } catch (error) {
          if (!disturbed() || attempt === 10) throw error
        }
      }
    })

  it('get, set, delete, deleteMany, clear', async store => {
    const cache = store.cache<number>('c')
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

  it('hostile keys are ordinary keys', async store => {
    const cache = store.cache<string>('c')
    for (const key of ['__proto__', 'constructor', '', ':', '___bc:t:x', 'a:b', '\0']) {
      await cache.set(key, key)
      assert.equal(await cache.get(key), key)
      await cache.delete(key)
      assert.equal(await cache.get(key), undefined)
    }
  })

  it('concurrent callers share one factory call; later ones find the value', async store => {
    const cache = store.cache<number>('c')
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

  it('an error reaches all who wait and is not kept', async store => {
    const cache = store.cache<number>('c')
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

  it('undefined is not kept, null is', async store => {
    const cache = store.cache<number | null | undefined>('c')
    assert.equal(await cache.getOrSet('u', () => undefined), undefined)
    assert.equal(await cache.getOrSet('u', () => 1), 1)
    assert.equal(await cache.getOrSet('n', () => null), null)
    assert.equal(await cache.getOrSet('n', () => 1), null)
    await cache.set('n', undefined)
    assert.equal(await cache.get('n'), undefined)
  })

  it('no caller can change what others get', async store => {
    const cache = store.cache<{ n: number; list: number[] }>('c')
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

  it(`a caller's abort ends its own wait only`, async store => {
    const cache = store.cache<number>('c')
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

  it('when all have left, the fetch is aborted and the next caller starts a new fetch', async store => {
    const cache = store.cache<number>('c')
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

  it('deleteByTag takes all with the tag, also tags taken from the value', async store => {
    const cache = store.cache<{ author: string }>('c')
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

  it('a value is gone after its time', async store => {
    const cache = store.cache<number>('c')
    await cache.set('short', 1, { ttlMs: 1 })
    await cache.set('long', 2)
    await until('it is so', async () => (await cache.get('short')) === undefined)
    assert.equal(await cache.get('long'), 2)
  })
}
