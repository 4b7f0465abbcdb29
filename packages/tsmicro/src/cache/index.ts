export type { Cache } from './cache.ts'
export type { CacheBus, ReplicaRegistry } from './replicas/options.ts'
export { type CacheStore, createCacheStore } from './store.ts'
