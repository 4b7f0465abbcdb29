import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { bytesOf } from './cases.ts'
import { driverNames, skipOf, startDriver } from './drivers.ts'
import { startUpstream } from './upstream.ts'
import { type Answers, outcomeOf, startVerifier } from './verifier.ts'
import { exchange, outcome } from './wire.ts'

const FAULTS: readonly Answers[] = ['hangs', 'fails', 'closes', 'junk', 'no', 'forbidden']

// Kong's cache keeps expired values, and returns them in two cases: if asking again failed, and to requests that waited too long for the
// one that asks. The second case needs several requests at the same time.
for (const name of driverNames) {
  test(`${name}: an expired yes no longer counts, whatever the verifier does and however many requests ask`, {
    skip: skipOf(name),
  }, async () => {
    await using scene = await startScene(name, { timeoutMs: 1000, cacheSeconds: 0.2, lockTimeout: 0.3 })
    const { upstream, verifier, driver } = scene
    let ids = 0
    const ask = async (key: string) => {
      ids += 1
      return outcome(await exchange(driver.port, bytesOf({ headers: [`x-api-key: ${key}`] }, `${ids}`)))
    }
    const keys = FAULTS.map(fault => `yes.${fault}`)
    for (const [at, fault] of FAULTS.entries()) {
      const key = keys[at] ?? ''
      // A busy machine may exceed the time-out.
      await until(async () => (await ask(key)) === '200')
      verifier.behave(fault)
      // Nothing asks in the meantime, so that the next requests all find an expired verdict.
      await pause(400)
      const reached = upstream.seen.size
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(key)))
      assert.deepEqual([...new Set(outcomes)], [outcomeOf(fault)], fault)
      assert.equal(upstream.seen.size, reached, fault)
      verifier.behave(undefined)
      // A missing verdict may be remembered for a moment.
      await until(async () => (await ask(key)) === '200')
    }
  })
}

for (const name of driverNames) {
  test(`${name}: requests that wait for a verifier that fails share the failure, and the next one asks again`, {
    skip: skipOf(name),
  }, async () => {
    await using scene = await startScene(name, { timeoutMs: 2000 })
    const { verifier, driver } = scene
    const ask = async (id: number) =>
      outcome(await exchange(driver.port, bytesOf({ headers: ['x-api-key: yes.shared'] }, `${id}`)))
    verifier.behave('hangs')
    for (const round of [1, 2]) {
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, id) => ask(id)))
      assert.deepEqual([...new Set(outcomes)], ['503 SERVICE_UNAVAILABLE'])
      assert.equal(verifier.asked.length, round)
    }
    verifier.behave(undefined)
    assert.equal(await ask(20), '200')
  })
}

type Timing = Omit<Parameters<typeof startDriver>[1], 'upstream' | 'verifier'>

async function startScene(name: Parameters<typeof startDriver>[0], timing: Timing) {
  await using started = new AsyncDisposableStack()
  const upstream = started.use(await startUpstream())
  const verifier = started.use(await startVerifier())
  const servers = { upstream: upstream.authority, verifier: verifier.authority }
  const driver = started.use(await startDriver(name, { ...servers, ...timing }))
  const all = started.move()
  return { upstream, verifier, driver, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await condition())) assert.ok(Date.now() < end, 'a valid key never passes')
}
