export type { Cache } from './cache.ts'
export type { CacheBus } from './replicas/bus.ts'
export type { ReplicaRegistry } from './replicas/registry.ts'
export { type CacheStore, createCacheStore } from './store.ts'
