export type { Cache, CacheOptions, FactoryContext, GetOrSetOptions, SetOptions } from './cache.ts'
export type { CacheName } from './json.ts'
export { type CacheStore, type CacheStoreOptions, createCacheStore } from './store.ts'
