// CI alone: one-instance.test.ts and stale-reads.test.ts are part of every run.
import { type TestContext, test } from 'node:test'
import { type PlatformOptions, startPlatform } from '../../support/platform.ts'
import { noRedis } from '../../support/redis.ts'
import { COMMANDS, checkSequence } from './check-sequence.ts'
import { seeds } from './seed.ts'
import { openTarget } from './target.ts'

// The model takes roles away, and expects that at once.
const env = { CACHE_TTL_SECONDS: '3600', LOG_LEVEL: 'warn', AUTH_LEASE_MS: '0' }

/** Requests go to a random replica: together they must behave as one. */
async function checkOnReplicas(t: TestContext, some: readonly number[], options: PlatformOptions): Promise<void> {
  await using platform = await startPlatform({ env, blogReplicas: 2, ...options })
  using target = await openTarget(
    platform,
    platform.blogs.map(({ url }) => url),
  )
  for (const seed of some) await checkSequence(t, target, seed)
}

test(`every answer in a random sequence of ${COMMANDS} actions at two replicas is the model’s`, t =>
  checkOnReplicas(t, seeds.slice(0, 1), {}))

test('the same with a shared Redis', { skip: noRedis }, t => checkOnReplicas(t, seeds.slice(-1), { redis: true }))
