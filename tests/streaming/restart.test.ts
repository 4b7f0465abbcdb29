// CI alone: packages/tsmicro/tests/micro/stop-streams.test.ts and streams/follow.test.ts end and resume streams by hand.
/** A service restarts under its streams: nobody waits for them, and no item is lost. */
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sized } from '../support/size.ts'

const PROGRAM = fileURLToPath(new URL('restart-program.ts', import.meta.url))
const CLIENTS = sized(1000)

const CASES = {
  'service again': 'after a restart',
  'gateway again': 'through the gateway, after a restart',
  'gateway other': 'through the gateway, to another instance',
  'nats again': 'over NATS, after a restart',
  'nats other': 'over NATS, to another instance',
}

for (const [setting, what] of Object.entries(CASES)) {
  const [door = '', how = ''] = setting.split(' ')
  const promise = 'once each, and have every item once, the first ones too; the stop does not wait for them'
  // In a process of its own: the test runner follows every promise, which makes a thousand streams a hundred times slower.
  test(`${CLIENTS} clients come back ${what}, ${promise}`, async () => {
    await promisify(execFile)(process.execPath, [PROGRAM, door, String(CLIENTS), how])
  })
}
