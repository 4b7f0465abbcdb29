import { test } from 'node:test'
import { openServer } from './network/server.ts'
import { SUITES } from './suites.ts'

for (const [name, suite] of Object.entries(SUITES)) test(name, () => suite(openServer))
