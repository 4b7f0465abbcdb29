// A cached read is never older than a change that was answered before it, and all who wait for a value share one fetch.
import { createCacheStore } from 'tsmicro/cache'

interface Profile {
  readonly id: string
  readonly name: string
}

const names = new Map([['1', 'Ada']])
let reads = 0
async function readFromDatabase(id: string): Promise<Profile> {
  reads += 1
  return { id, name: names.get(id) ?? 'nobody' }
}

// For one process. Several share their invalidations with `replicas`, and values with `redis`.
const store = createCacheStore({ maxItems: 1000 })
await store.connect()
const profiles = store.cache<Profile>('profile', { ttlMs: 60_000 })
const profile = (id: string) => profiles.getOrSet(id, () => readFromDatabase(id), { tags: ['people'] })

const [first] = await Promise.all([profile('1'), profile('1'), profile('1')])
console.log(first.name, 'after reads:', reads)

names.set('1', 'Ada Lovelace')
await profiles.delete('1')
console.log((await profile('1')).name, 'after reads:', reads)

await profiles.deleteByTags(['people'])
await profile('1')
console.log('after reads:', reads)
await store.close()

// Prints:
// Ada after reads: 1
// Ada Lovelace after reads: 2
// after reads: 3
