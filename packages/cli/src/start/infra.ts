import { join } from 'node:path'
import { type Server, startDocuments, startNats, startPostgres, startRedis } from '@tsmicro/infra'
import type { Environment } from '../config/environment.ts'
import type { InfraName, SystemConfig } from '../config/types.ts'
import { infraLevel } from '../output/infra-level.ts'
import type { Log } from '../output/log.ts'
import type { Progress } from '../output/progress.ts'
import type { Crew } from '../supervise/crew.ts'
import type { Disk } from '../supervise/disk.ts'
import { InfraPart } from '../supervise/infra-part.ts'
import type { NatsUsers } from './nats-users.ts'
import { availableInfra } from './optional-infra.ts'

const STARTERS = { nats: startNats, postgres: startPostgres, documents: startDocuments, redis: startRedis }
/** The ports their own tools expect. */
const USUAL_PORTS: Record<InfraName, number> = { nats: 4222, postgres: 5432, documents: 27017, redis: 6379 }
const VARIABLES: Record<InfraName, string> = {
  nats: 'NATS_URL',
  postgres: 'DATABASE_URL',
  documents: 'MONGODB_URL',
  redis: 'REDIS_URL',
}

/** Where a server came from, in words. */
export function describeSource(name: InfraName, server: Server): string {
  if (server.source === 'url') return `from ${VARIABLES[name]}`
  return server.source === 'embedded' ? 'embedded' : 'installed on this machine'
}

export interface InfraContext {
  readonly crew: Crew
  readonly log: Log
  readonly progress: Progress
  readonly natsUsers: NatsUsers | undefined
  readonly disk: Disk
}

/** Starts the parts that the configuration lists, all at once, and the optional ones that are here. */
export async function startInfra(
  config: SystemConfig,
  environment: Environment,
  dataDir: string,
  { crew, log, progress, natsUsers, disk }: InfraContext,
): Promise<Map<InfraName, Server>> {
  const optional = await availableInfra(config.optionalInfra ?? [], environment, progress)
  const parts = [...config.infra, ...optional].map(name => {
    const url = environment.urls[name]
    const part = new InfraPart(
      name,
      onExit =>
        STARTERS[name]({
          ...(url === undefined ? { dataDir: join(dataDir, name), preferredPort: USUAL_PORTS[name] } : { url }),
          ...(name === 'nats' && natsUsers !== undefined ? { extraArgs: ['-c', natsUsers.file] } : {}),
          // What was left the last time may be out of date: the system may have run without it since.
          ...(name === 'redis' && optional.includes(name) ? { extraArgs: ['--appendonly', 'no'] } : {}),
          ...(name === 'postgres' && config.database !== undefined ? { database: config.database } : {}),
          onLine: (line, stream) => log.leveled(name, infraLevel(name, line, stream), line),
          onExit,
        }),
      // Ending PostgreSQL ends every session and costs a recovery: not because the machine is busy.
      { say: log.say, disk, patience: name === 'postgres' ? 5 : 1 },
    )
    crew.infra.push(part)
    return [name, part] as const
  })
  const started = parts.map(async ([name, part]) => {
    const server = await progress.track(name, part.ready(), ready => describeSource(name, ready))
    return [name, server] as const
  })
  return new Map(await Promise.all(started))
}
