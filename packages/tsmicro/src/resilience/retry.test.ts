import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Deadline, expiringCount, type ProcedureCall } from '../call/index.ts'
import { contract, procedure } from '../contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { retry } from './index.ts'

const { again } = contract('shop', { again: procedure({ nats: 'again', access: 'internal', idempotent: true }) })
const down = (retryAfterSeconds?: number) => () =>
  Promise.reject(new SERVICE_UNAVAILABLE(undefined, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }))

function callWithin(t: TestContext, budgetMs: number): ProcedureCall {
  const deadline = new Deadline(budgetMs)
  t.after(() => deadline[Symbol.dispose]())
  return { procedure: again, input: {}, deadline, context: undefined }
}

/** Makes waits end at once, and records how long they would have been. */
function waitsOf(t: TestContext): number[] {
  const waits: number[] = []
  const real = setTimeout
  t.mock.method(globalThis, 'setTimeout', (done: () => void, ms: number) => {
    waits.push(ms)
    return real(done, 0)
  })
  return waits
}

test('waits are random between 0 and a bound that doubles up to the longest', async t => {
  const call = callWithin(t, 3_600_000)
  const waits = waitsOf(t)
  const bounds = [10, 20, 40, 50, 50]
  const seen = bounds.map(() => new Set<number>())
  for (let round = 0; round < 20; round++) {
    waits.length = 0
    await assert.rejects(retry({ attempts: 6, baseMs: 10, maxMs: 50 })(call, down()), SERVICE_UNAVAILABLE)
    assert.equal(waits.length, bounds.length)
    for (const [at, bound] of bounds.entries()) {
      const wait = waits[at] ?? Number.NaN
      assert.ok(wait >= 0 && wait < bound, `${wait} of ${bound}`)
      seen[at]?.add(wait)
    }
  }
  for (const [at, bound] of bounds.entries()) {
    const values = [...(seen[at] ?? [])]
    assert.ok(Math.max(...values) > bound / 2 && Math.min(...values) < bound / 2)
  }
})

test('the wait that the other side asks for is kept; one beyond the longest wait is passed on at once', async t => {
  const call = callWithin(t, 3_600_000)
  const waits = waitsOf(t)
  await assert.rejects(retry({ baseMs: 10, maxMs: 3000 })(call, down(3)), SERVICE_UNAVAILABLE)
  assert.equal(waits.length, 2)
  assert.ok(waits.every(wait => wait >= 3000 && wait < 3020))
  waits.length = 0
  await assert.rejects(retry({ baseMs: 10, maxMs: 2999 })(call, down(3)), { retryAfterSeconds: 3 })
  assert.deepEqual(waits, [])
})

test('a wait that would exceed the time of the call does not start', async t => {
  const call = callWithin(t, 3000)
  const waits = waitsOf(t)
  await assert.rejects(retry({ maxMs: 60_000 })(call, down(3)), SERVICE_UNAVAILABLE)
  assert.deepEqual(waits, [])
})

test('when the call ends during a wait, it ends with the reason and leaves nothing behind', async t => {
  const call = callWithin(t, 3_600_000)
  const reason = new Error('the caller went away')
  let attempts = 0
  const failed = assert.rejects(
    retry({ maxMs: 600_000 })(call, () => {
      attempts += 1
      setImmediate(() => call.deadline.cancel(reason))
      return down(600)()
    }),
    error => error === reason,
  )
  await failed
  assert.deepEqual([attempts, expiringCount()], [1, 0])
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
})

test('invalid options are refused', () => {
  assert.throws(() => retry({ attempts: 0 }), RangeError)
  assert.throws(() => retry({ baseMs: Number.NaN }), RangeError)
})

test('an attempt has its own time; the last one has all that is left', async t => {
  const call = callWithin(t, 3_600_000)
  const given: number[] = []
  const silent = async (deadline = call.deadline) => {
    given.push(deadline.remainingMs())
    if (given.length === 3) return 'an answer'
    deadline.expire()
    return deadline.race(new Promise(() => {}))
  }
  assert.equal(await retry({ baseMs: 0, attemptMs: 1000 })(call, silent), 'an answer')
  const [first = 0, second = 0, last = 0] = given
  assert.ok(first <= 1000 && second <= 1000 && last > 3_000_000, String(given))
  assert.throws(() => retry({ attemptMs: 0 }), RangeError)
})

test('an attempt ends with the whole call, and leaves no timer behind', async t => {
  const call = callWithin(t, 3_600_000)
  const before = expiringCount()
  const reason = new Error('the caller went away')
  const waiting = retry({ attemptMs: 600_000 })(call, deadline => {
    assert.ok(deadline)
    return deadline.race(new Promise(() => {}))
  })
  call.deadline.cancel(reason)
  await assert.rejects(waiting, error => error === reason)
  assert.ok(expiringCount() <= before)
})
