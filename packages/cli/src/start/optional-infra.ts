import { locateRedis } from '@tsmicro/infra'
import type { Environment } from '../config/environment.ts'
import type { OptionalInfraName } from '../config/types.ts'
import type { Progress } from '../output/progress.ts'

/** Those of the optional parts that can be had here; says so of the others, which are no error. */
export async function availableInfra(
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
