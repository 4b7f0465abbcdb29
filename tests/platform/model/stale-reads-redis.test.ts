import { test } from 'node:test'
import { noRedis } from '../../support/redis.ts'
import { onlyInFull, sized } from '../../support/size.ts'
import { raceOnPlatform } from './race/race-on-platform.ts'

const READS = sized(5000)

test(`${READS} reads at two replicas that share a Redis: none is stale`, { skip: noRedis || onlyInFull }, t =>
  raceOnPlatform(t, READS, { redis: true }),
)
