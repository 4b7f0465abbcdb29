import { randomInt } from 'node:crypto'
import { conform } from './conform.ts'
import { openLoopback } from './network/loopback.ts'

/** By hand a different quarter of the suites each time, as server.test.ts runs all; `QUARTER=3 npm test` runs the same one again. */
const quarter = process.env.CI ? undefined : Number(process.env.QUARTER ?? randomInt(4))

conform(openLoopback, number => quarter === undefined || number % 4 === quarter)
