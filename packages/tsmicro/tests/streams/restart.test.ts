/** A service restarts under its streams: nobody waits for them, and no item is lost. */
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('restart-program.ts', import.meta.url))
const CLIENTS = process.env.CI ? 1000 : 50

// In a process of its own: the test runner follows every promise, which makes a thousand streams a hundred times slower.
test(`${CLIENTS} clients come back after a restart, once each, and have every item once; the stop does not wait for them`, async () => {
  await promisify(execFile)(process.execPath, [...process.execArgv, PROGRAM, String(CLIENTS)])
})
