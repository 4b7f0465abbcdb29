import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cache, createCacheStore } from './index.ts'
import { TagLog } from './tags.ts'

// A model checker: random interleavings of readers, factories and invalidations, steered by promises and never by time.
// The rule: a read returns a value at least as new as the newest invalidation that was answered before the read began.

interface Row {
  readonly version: number
}

type Invalidate = (cache: Cache<Row>) => Promise<void>
const ways: Record<string, Invalidate> = {
  delete: cache => cache.delete('k'),
  deleteMany: cache => cache.deleteMany(['x', 'k']),
  deleteByTag: cache => cache.deleteByTag('t'),
  clear: cache => cache.clear(),
}

/** Mulberry32: a failure can be repeated from its seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

async function interleave(seed: number, cache: Cache<Row>, invalidate: Invalidate): Promise<number> {
  const pick = random(seed)
  const pending: (() => void)[] = []
  const running: Promise<void>[] = []
  let database = 0
  let answered = 0
  let fetches = 0

  // reads the database at its beginning, and brings the row back whenever the schedule says so
  const factory = async () => {
    const row = { version: database }
    fetches++
    await new Promise<void>(resolve => pending.push(resolve))
    return row
  }
  const tags = pick(2) === 0 ? ['t'] : () => ['other', 't']
  const read = async (find: () => Promise<Row | undefined>) => {
    const atLeast = answered
    const row = await find()
    if (row !== undefined) assert.ok(row.version >= atLeast, `seed ${seed}: got ${row.version}, wanted ${atLeast}`)
  }
  const change = async () => {
    const version = ++database
    await invalidate(cache)
    answered = Math.max(answered, version)
  }
  const steps = [
    () => running.push(read(() => cache.getOrSet('k', factory, { tags }))),
    () => running.push(read(() => cache.getOrSet('k', factory, { tags, signal: new AbortController().signal }))),
    () => running.push(read(() => cache.get('k'))),
    () => running.push(change()),
    () => pending.splice(pick(pending.length || 1), 1)[0]?.(),
  ]
  for (let step = 0; step < 30; step++) {
    steps[pick(steps.length)]?.()
    for (let ticks = pick(9); ticks > 0; ticks--) await null
  }
  let settled = false
  const all = Promise.all(running).finally(() => {
    settled = true
  })
  all.catch(() => undefined)
  while (!settled) {
    pending.shift()?.()
    await null
  }
  await all
  const last = await cache.get('k')
  assert.ok(last === undefined || last.version === database, `seed ${seed}: kept ${last?.version}, not ${database}`)
  return fetches
}

for (const [name, invalidate] of Object.entries(ways)) {
  test(`no read after ${name} sees an older value, in 400 interleavings`, async () => {
    const store = createCacheStore()
    let fetches = 0
    for (let seed = 1; seed <= 400; seed++) {
      fetches += await interleave(seed, store.cache<Row>(`${name}-${seed}`), invalidate)
    }
    assert.ok(fetches > 400, 'the schedule did fetch')
  })
}

test('a fetch that began before a delete is neither kept nor given to later callers', async () => {
  for (const [name, invalidate] of Object.entries(ways)) {
    const cache = createCacheStore().cache<Row>('c')
    const old = Promise.withResolvers<Row>()
    const before = cache.getOrSet('k', () => old.promise, { tags: ['t'] })
    for (let ticks = 0; ticks < 20; ticks++) await null
    await invalidate(cache)
    const after = cache.getOrSet('k', async () => ({ version: 2 }), { tags: ['t'] })
    old.resolve({ version: 1 })
    assert.deepEqual(await before, { version: 1 }, name)
    assert.deepEqual(await after, { version: 2 }, name)
    const kept = await cache.get('k')
    assert.ok(kept === undefined || kept.version === 2, name)
  }
})

test('a fetch that began before a set does not overwrite it', async () => {
  const cache = createCacheStore().cache<Row>('c')
  const old = Promise.withResolvers<Row>()
  const before = cache.getOrSet('k', () => old.promise)
  await cache.set('k', { version: 2 })
  old.resolve({ version: 1 })
  await before
  assert.deepEqual(await cache.get('k'), { version: 2 })
})

test('forgetting old tags forgets values, never invalidations', () => {
  const log = new TagLog(3)
  const early = log.next()
  for (const tag of ['a', 'b', 'c', 'd', 'e']) log.invalidate(tag)
  const late = log.next()
  for (const tag of ['a', 'b', 'c', 'd', 'e']) {
    assert.equal(log.invalidatedSince(early, [tag]), true, tag)
    assert.equal(log.invalidatedSince(late, [tag]), false, tag)
  }
  assert.equal(log.invalidatedSince(early, []), false)
})
