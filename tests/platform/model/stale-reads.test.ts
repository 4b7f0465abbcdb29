import { test } from 'node:test'
import { sized } from '../../support/size.ts'
import { raceOnPlatform } from './race/race-on-platform.ts'

const READS = sized(10_000)

test(`${READS} reads beside edits, publications and new names, over two replicas: none is stale`, t =>
  raceOnPlatform(t, READS, {}))
