import { test } from 'node:test'
import { openLoopback } from './network/loopback.ts'
import { SUITES } from './suites.ts'

for (const [name, suite] of Object.entries(SUITES)) test(name, () => suite(openLoopback))
