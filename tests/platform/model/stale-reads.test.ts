import { test } from 'node:test'
import { inFull } from '../../support/size.ts'
import { raceOnPlatform } from './race/race-on-platform.ts'

const READS = inFull ? 10_000 : 300

test(`${READS} reads during edits, publications and renames, at two replicas: none is stale`, t =>
  raceOnPlatform(t, READS, {}))
