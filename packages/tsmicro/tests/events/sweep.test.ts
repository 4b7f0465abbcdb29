import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Sweep } from '../../src/events/sweep.ts'
import { clock } from './clock.ts'

const EVERY_MS = 5000

/** Sweeps over one parked aggregate. @param lookMs what the look at it takes */
function sweepOf(t: TestContext, lookMs: number, { handleMs = 0, fails = false, here = true } = {}) {
  const { pass, turn } = clock(t)
  let count = 0
  const letter = { aggregateId: 'a', tries: 0 }
  const sweep = new Sweep({
    letters: {
      parked: new Set(['a']),
      async follow() {
        count += 1
        if (fails) throw new Error('NATS is down')
      },
      async first() {
        pass(lookMs)
        return letter
      },
    } as never,
    mending: { resume: async () => pass(handleMs) } as never,
    order: { recorded: true, refresh: async () => {}, judge: () => 'next', missing: () => [1, 1] } as never,
    everyMs: EVERY_MS,
    here: () => here,
  })
  /** How many sweeps have begun once so much time has passed. */
  const after = async (ms: number) => {
    pass(ms)
    sweep.tend()
    await turn()
    return count
  }
  return { sweep, after }
}

for (const [lookMs, pauseMs] of [
  [0, EVERY_MS],
  [250, EVERY_MS],
  [500, 10_000],
  [3000, 60_000],
  [30_000, 60_000],
] as const) {
  test(`a look of ${lookMs} ms is followed by a pause of ${pauseMs} ms`, async t => {
    const { after } = sweepOf(t, lookMs)
    assert.equal(await after(EVERY_MS - 1), 0)
    assert.equal(await after(1), 1)
    assert.equal(await after(pauseMs - 1), 1)
    assert.equal(await after(1), 2)
  })
}

test('what is handled in a sweep does not make the pause longer', async t => {
  const { after } = sweepOf(t, 10, { handleMs: 600_000 })
  assert.equal(await after(EVERY_MS), 1)
  assert.equal(await after(EVERY_MS), 2)
})

test('a sweep that fails is repeated after the usual pause, and none begins after the stop', async t => {
  const { sweep, after } = sweepOf(t, 1000, { fails: true })
  assert.equal(await after(EVERY_MS), 1)
  assert.equal(await after(EVERY_MS - 1), 1)
  assert.equal(await after(1), 2)
  sweep.stop()
  assert.equal(await after(EVERY_MS), 2)
})

test('where another instance gets the events, nothing is looked at', async t => {
  const { after } = sweepOf(t, 3000, { here: false })
  assert.equal(await after(EVERY_MS), 1)
  assert.equal(await after(EVERY_MS), 2)
})
