import { CliError } from '../errors.ts'
import { isLevel, LEVELS, type Level } from '../output/levels.ts'
import type { InfraName } from './types.ts'

/** What the environment may say to `tsmicro start`. */
export interface Environment {
  readonly dataDir: string
  readonly gatewayPort: number
  readonly logLevel: Level
  /** How long a part may be silent, in milliseconds; 0 = for ever. */
  readonly livenessMs: number
  /** Servers to use instead of starting some. */
  readonly urls: Readonly<Partial<Record<InfraName, string>>>
}

/** Reads and checks the environment; an empty variable counts as unset. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const port = env.GATEWAY_PORT || '8000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new CliError(`GATEWAY_PORT=${port} is no port number`)
  const logLevel = env.LOG_LEVEL || 'info'
  if (!isLevel(logLevel)) throw new CliError(`LOG_LEVEL=${logLevel} is none of ${Object.keys(LEVELS).join(', ')}`)
  const liveness = env.LIVENESS_SECONDS || '60'
  if (!/^\d{1,6}$/.test(liveness)) throw new CliError(`LIVENESS_SECONDS=${liveness} is no number of seconds`)
  return {
    dataDir: env.DATA_DIR || '.data',
    gatewayPort: Number(port),
    logLevel,
    livenessMs: Number(liveness) * 1000,
    urls: {
      ...(env.NATS_URL ? { nats: env.NATS_URL } : {}),
      ...(env.DATABASE_URL ? { postgres: env.DATABASE_URL } : {}),
      ...(env.MONGODB_URL ? { documents: env.MONGODB_URL } : {}),
      ...(env.REDIS_URL ? { redis: env.REDIS_URL } : {}),
    },
  }
}
