import { type TestContext, test } from 'node:test'
import { type PlatformOptions, startPlatform } from '../../support/platform.ts'
import { noRedis } from '../../support/redis.ts'
import { onlyInFull } from '../../support/size.ts'
import { rehearse, TURNS } from './rehearse.ts'
import { seeds } from './seed.ts'
import { openStage } from './stage.ts'

const env = { CACHE_TTL_SECONDS: '3600', LOG_LEVEL: 'warn' }

/** Requests go to one replica or the other, by chance: together they must be as one. */
async function rehearseOnReplicas(t: TestContext, some: readonly number[], options: PlatformOptions): Promise<void> {
  await using platform = await startPlatform({ env, blogReplicas: 2, ...options })
  using stage = await openStage(
    platform,
    platform.blogs.map(({ url }) => url),
  )
  for (const seed of some) await rehearse(t, stage, seed)
}

test(`every answer in a random sequence of ${TURNS} actions at two replicas is the model’s`, { skip: onlyInFull }, t =>
  rehearseOnReplicas(t, seeds.slice(0, 1), {}),
)

test('the same with Redis below', { skip: noRedis || onlyInFull }, t =>
  rehearseOnReplicas(t, seeds.slice(-1), { redis: true }),
)
