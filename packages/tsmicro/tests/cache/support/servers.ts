import { randomUUID } from 'node:crypto'
import { locateRedis, type Server, startDocuments, startNats, startRedis } from '@tsmicro/infra'
import { createNatsBroadcast, NatsClient } from 'tsmicro'
import { type CacheStore, createCacheStore } from 'tsmicro/cache'
import { createMongo, createMongoMembership, type Mongo, type MongoMembership } from 'tsmicro/mongo'
import { until } from '../../support/until.ts'

export const SUBJECT = '_TSMICRO.cache.test'
export const GROUPS = 'cache-replicas'

/** Why tests that need Redis are skipped; false if there is one. */
export const withoutRedis: string | false = (await locateRedis()) ? false : 'there is no redis-server on this machine'

export interface Servers extends AsyncDisposable {
  readonly nats: Server
  readonly documents: Server
  readonly redis: Server | undefined
}

export async function startServers({ redis = false } = {}): Promise<Servers> {
  await using started = new AsyncDisposableStack()
  const [nats, documents, third] = await Promise.all([
    startNats({ ephemeral: true }),
    startDocuments({ ephemeral: true }),
    redis && !withoutRedis ? startRedis({ ephemeral: true }) : undefined,
  ])
  for (const server of [nats, documents, third]) if (server) started.use(server)
  const all = started.move()
  return { nats, documents, redis: third, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** One process's store with its own connections, as a service has them. */
export interface Replica extends AsyncDisposable {
  readonly store: CacheStore
  readonly nats: NatsClient
  readonly mongo: Mongo
  readonly registry: MongoMembership
}

type CacheStoreOptions = NonNullable<Parameters<typeof createCacheStore>[0]>

export interface ReplicaOptions extends Omit<CacheStoreOptions, 'replicas' | 'redis' | 'log'> {
  /** Stores of one group cache the same. */
  readonly group?: string
  readonly leaseMs?: number
  readonly limitMs?: number
  /** Its URL. */
  readonly redis?: string | undefined
  readonly log?: NonNullable<CacheStoreOptions['log']>
  /** What is asked of the registry before each reading, to let it fail or hang. */
  readonly beforeRead?: () => void | Promise<void>
}

export async function openReplica(
  { nats: natsServer, documents }: Pick<Servers, 'nats' | 'documents'>,
  { group = randomUUID(), leaseMs = 3000, limitMs = 8000, redis, beforeRead, ...options }: ReplicaOptions = {},
): Promise<Replica> {
  const nats = new NatsClient({ url: natsServer.url, name: 'test', reconnectWaitMs: 50 })
  const mongo = createMongo({ url: documents.url, database: 'cache', operationTimeoutMs: 5000 })
  await nats.connect()
  // Retried while a busy machine's document server takes longer than a connection waits.
  await until('the document server answers', () =>
    mongo.connect().then(
      () => true,
      () => false,
    ),
  )
  const registry = createMongoMembership(mongo, GROUPS, group)
  const { read } = registry
  registry.read = async () => {
    await beforeRead?.()
    return read.call(registry)
  }
  const store = createCacheStore({
    ...options,
    replicas: { registry, bus: createNatsBroadcast(nats, `${SUBJECT}.${group}`), leaseMs, limitMs },
    ...(redis === undefined ? {} : { redis: { url: redis, prefix: 'test' } }),
  })
  await store.connect()
  return {
    ...{ store, nats, mongo, registry },
    async [Symbol.asyncDispose]() {
      await store.close()
      await nats.close()
      await mongo.close()
    },
  }
}

export async function sharing(...replicas: readonly { readonly store: CacheStore }[]): Promise<void> {
  await until('the replicas share', () => replicas.every(({ store }) => store.sharing))
}

/** Resolves once one replica finds in Redis what another one has fetched. */
export async function redisUsed(...replicas: readonly Replica[]): Promise<void> {
  const probes = replicas.map(({ store }) => store.cache<number>(`probe-${randomUUID()}`))
  for (const probe of probes) {
    // A value that is set is kept only in Redis, and read from there.
    await until('Redis is used', async () => {
      await probe.set('k', 1)
      return (await probe.get('k')) === 1
    })
  }
}
