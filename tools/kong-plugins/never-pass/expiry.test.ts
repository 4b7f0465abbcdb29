import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { bytesOf } from './case.ts'
import { driverNames, skipOf, startDriver } from './stage.ts'
import { startUpstream } from './upstream.ts'
import { type Answers, outcomeOf, startVerifier } from './verifier.ts'
import { exchange, outcome } from './wire.ts'

const FAULTS: readonly Answers[] = ['hangs', 'fails', 'closes', 'junk', 'no', 'forbidden']

// Kong's cache keeps what has expired, and hands it out in two cases: when asking anew failed, and to those who waited too long for
// the one who asks. The second needs more requests than one.
for (const name of driverNames) {
  test(`${name}: a yes that has expired is none, whatever the verifier does instead and however many ask`, {
    skip: skipOf(name),
  }, async () => {
    await using upstream = await startUpstream()
    await using verifier = await startVerifier()
    await using driver = await startDriver(name, {
      upstream: upstream.authority,
      verifier: verifier.authority,
      timeoutMs: 1000,
      cacheSeconds: 0.2,
      lockTimeout: 0.3,
    })
    let ids = 0
    const ask = async (key: string) => {
      ids += 1
      return outcome(await exchange(driver.port, bytesOf({ headers: [`x-api-key: ${key}`] }, `${ids}`)))
    }
    const keys = FAULTS.map(fault => `yes.${fault}`)
    for (const [at, fault] of FAULTS.entries()) {
      const key = keys[at] ?? ''
      // A busy machine may take longer than the time-out.
      await until(async () => (await ask(key)) === '200')
      verifier.behave(fault)
      // Not asked meanwhile, so that the next to ask are all the first.
      await pause(400)
      const reached = upstream.seen.size
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(key)))
      assert.deepEqual([...new Set(outcomes)], [outcomeOf(fault)], fault)
      assert.equal(upstream.seen.size, reached, fault)
      verifier.behave(undefined)
      // A verdict that was not to be had may be remembered for a moment.
      await until(async () => (await ask(key)) === '200')
    }
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await condition())) assert.ok(Date.now() < end, 'a good key never passes')
}
