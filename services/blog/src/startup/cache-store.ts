import { cacheSubjectOf, createNatsBroadcast, type Log, type NatsClient, withSharedContext } from 'tsmicro'
import { type CacheStore, createCacheStore } from 'tsmicro/cache'
import { createMongoMembership, type Mongo } from 'tsmicro/mongo'
import type { Env } from '../config/env.ts'

export interface StoreParts {
  readonly mongo: Mongo
  readonly nats: NatsClient
  readonly log: Log | undefined
  /** Milliseconds after which a change is reported as not announced. Default: when every lease has surely ended. */
  readonly limitMs?: number
}

/** What is done beside waiting for a lease to end: to ask who is there, to look again, and to be late. */
const LEEWAY_MS = 2500

/** The service's caches, which all its instances keep alike. It uses them from when MongoDB and NATS are connected. */
export function createStore(env: Env, { mongo, nats, log, limitMs }: StoreParts): CacheStore {
  const leaseMs = env.CACHE_LEASE_SECONDS * 1000
  return createCacheStore({
    ttlMs: env.CACHE_TTL_SECONDS * 1000,
    maxSizeBytes: env.CACHE_MAX_MEGABYTES * 1024 * 1024,
    replicas: {
      registry: createMongoMembership(mongo, 'cacheReplicas'),
      bus: createNatsBroadcast(nats, cacheSubjectOf('blog')),
      leaseMs,
      limitMs: limitMs ?? leaseMs + LEEWAY_MS,
    },
    share: withSharedContext,
    ...(env.REDIS_URL === undefined ? {} : { redis: { url: env.REDIS_URL, prefix: 'blog' } }),
    ...(log ? { log } : {}),
  })
}
