import { test } from 'node:test'
import { sized } from '../../support/size.ts'
import { raceOn } from './race/race-on.ts'

const READS = sized(10_000)

test(`${READS} reads beside edits, publications and new names, over two replicas: none is stale`, t =>
  raceOn(t, READS, {}))
