// CI alone: stale-reads.test.ts and packages/tsmicro/tests/cache/races.test.ts read by hand.
import { test } from 'node:test'
import { noRedis } from '../../support/redis.ts'
import { sized } from '../../support/size.ts'
import { raceOnPlatform } from './race/race-on-platform.ts'

const READS = sized(5000)

test(`${READS} reads at two replicas that share a Redis: none is stale`, { skip: noRedis }, t =>
  raceOnPlatform(t, READS, { redis: true }),
)
