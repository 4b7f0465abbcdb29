import { test } from 'node:test'
import { raceOn } from './race/race-on.ts'

test('10,000 reads beside edits, publications and new names, over two replicas: none is stale', t =>
  raceOn(t, 10_000, {}))
