import { type Server, startDocuments, startNats, startPostgres, startRedis } from '@tsmicro/infra'
import { createAllStreams } from '../../deploy/nats/create-streams.ts'
import { natsUrlFor, writeNatsUsers } from './nats-users.ts'
import { noRedis } from './redis.ts'

/** What the services of a platform need. */
export interface Servers {
  readonly nats: Server
  readonly postgres: Server
  readonly documents: Server
  /** Only if requested, and if redis-server is installed. */
  readonly redis?: Server
}

/** Starts disposable servers, all at once; `resources` stops them. */
export async function startServers(
  resources: AsyncDisposableStack,
  directory: string,
  wanted: { readonly redis: boolean },
): Promise<Servers> {
  const extraArgs = ['-c', await writeNatsUsers(directory)]
  const owned = async (starting: Promise<Server>) => resources.use(await starting)
  const [nats, postgres, documents, redis] = await Promise.all([
    owned(startNats({ ephemeral: true, extraArgs })),
    owned(startPostgres({ ephemeral: true })),
    owned(startDocuments({ ephemeral: true })),
    wanted.redis && !noRedis ? owned(startRedis({ ephemeral: true })) : undefined,
  ])
  await createAllStreams(natsUrlFor('streams', nats.url))
  return { nats, postgres, documents, ...(redis ? { redis } : {}) }
}
