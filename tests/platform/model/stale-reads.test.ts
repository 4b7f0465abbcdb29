import { test } from 'node:test'
import { sized } from '../../support/size.ts'
import { raceOnPlatform } from './race/race-on-platform.ts'

const READS = sized(10_000)

test(`${READS} reads during edits, publications and renames, at two replicas: none is stale`, t =>
  raceOnPlatform(t, READS, {}))
