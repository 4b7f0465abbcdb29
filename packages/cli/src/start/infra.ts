import { join } from 'node:path'
import { locateRedis, type Server, startDocuments, startNats, startPostgres, startRedis } from '@tsmicro/infra'
import type { Environment } from '../command-line.ts'
import type { InfraName, OptionalInfraName, SystemConfig } from '../config-types.ts'
import { infraLevel } from '../output/levels.ts'
import type { Log } from '../output/log.ts'
import type { Disk } from '../supervise/disk.ts'
import { InfraPart } from '../supervise/infra-part.ts'
import type { RunningSystem } from '../supervise/running-system.ts'
import type { NatsUsers } from './secrets.ts'
import { describeSource, type Progress } from './summary.ts'

/** How to start each part, and the port that its tools expect. */
const PARTS = {
  nats: { start: startNats, port: 4222 },
  postgres: { start: startPostgres, port: 5432 },
  documents: { start: startDocuments, port: 27017 },
  redis: { start: startRedis, port: 6379 },
}

export interface InfraContext {
  readonly running: RunningSystem
  readonly log: Log
  readonly progress: Progress
  readonly natsUsers: NatsUsers | undefined
  readonly disk: Disk
}

/** Starts the parts that the configuration lists, and the optional ones that are available, all at the same time. */
export async function startInfra(
  config: SystemConfig,
  environment: Environment,
  dataDir: string,
  { running, log, progress, natsUsers, disk }: InfraContext,
): Promise<Map<InfraName, Server>> {
  const optional = await availableInfra(config.optionalInfra ?? [], environment, progress)
  const parts = [...config.infra, ...optional].map(name => {
    const url = environment.urls[name]
    const { start, port } = PARTS[name]
    const part = new InfraPart(
      name,
      onExit =>
        start({
          ...(url === undefined ? { dataDir: join(dataDir, name), preferredPort: port } : { url }),
          ...(name === 'nats' && natsUsers !== undefined ? { extraArgs: ['-c', natsUsers.file] } : {}),
          // What an earlier start left may be stale, as the system may have run without Redis since.
          ...(name === 'redis' && optional.includes(name) ? { extraArgs: ['--appendonly', 'no'] } : {}),
          ...(name === 'postgres' && config.database !== undefined ? { database: config.database } : {}),
          onLine: (line, stream) => log.leveled(name, infraLevel(name, line, stream), line),
          onExit,
        }),
      // Killing PostgreSQL ends every session and costs a recovery, which a busy machine must not cause.
      { say: log.say, disk, patience: name === 'postgres' ? 5 : 1 },
    )
    running.infra.push(part)
    return [name, part] as const
  })
  const started = parts.map(async ([name, part]) => {
    const server = await progress.track(name, part.ready(), ready => describeSource(name, ready))
    return [name, server] as const
  })
  return new Map(await Promise.all(started))
}

/** The optional parts that are available here. Reports the others, which are not an error. */
async function availableInfra(
  names: readonly OptionalInfraName[],
  environment: Environment,
  progress: Progress,
): Promise<readonly OptionalInfraName[]> {
  const available: OptionalInfraName[] = []
  for (const name of names) {
    const problems: string[] = []
    if (environment.urls[name] !== undefined || (await locateRedis(undefined, problems)) !== undefined)
      available.push(name)
    else progress.absent(name, problems.join('; ') || 'no redis-server on PATH and no REDIS_URL')
  }
  return available
}
