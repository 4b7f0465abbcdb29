import { test } from 'node:test'
import { noRedis } from '../../support/redis.ts'
import { onlyInFull, sized } from '../../support/size.ts'
import { raceOn } from './race/race-on.ts'

const READS = sized(5000)

test(`${READS} reads over two replicas with Redis below: none is stale`, { skip: noRedis || onlyInFull }, t =>
  raceOn(t, READS, { redis: true }),
)
