import { test } from 'node:test'
import { noRedis } from '../../support/redis.ts'
import { raceOn } from './race/race-on.ts'

test('5,000 reads over two replicas with Redis below: none is stale', { skip: noRedis }, t =>
  raceOn(t, 5000, { redis: true }),
)
