import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Delivery } from '../../src/events/delivery.ts'
import { Lane, type LaneParts } from '../../src/events/lane.ts'
import { clock } from './clock.ts'

/** A lane with events that do nothing by themselves. */
function laneOf(t: TestContext, parts: object) {
  const time = clock(t)
  const handedBack: [number, number | undefined][] = []
  const kept: [number, number][] = []
  const lane = new Lane({
    order: { recorded: true, judge: () => 'early', giveUp: () => false, missing: () => [1, 1] },
    letters: {
      parked: new Set(),
      first: async () => undefined,
      keep: async ({ number }: Delivery, _: unknown, tries: number) => void kept.push([number ?? 0, tries]),
    },
    resume: async () => undefined,
    triesOf: () => 3,
    gapMs: Number.POSITIVE_INFINITY,
    pauseMs: 100,
    isFull: () => false,
    onFailure: () => {},
    onGap: () => {},
    ...parts,
  } as unknown as LaneParts)
  const add = (number: number, more: object = {}) => {
    const handBack = (ms?: number) => void handedBack.push([number, ms])
    const place = { aggregateId: 'a', number, first: 1, subject: 'item.made', headers: {} }
    lane.add({ ...place, tries: 0, excused: 0, handBack, done: () => {}, ...more } as unknown as Delivery)
  }
  return { ...time, lane, add, handedBack, kept, start: () => lane.start(() => {}) }
}

/** An attempt that fails, as often as it is begun. */
const failing = (counts: boolean) => ({
  order: { judge: () => 'next' },
  handling: { once: async () => ({ error: new Error('it failed'), counts }) },
})

test('an early event is looked at again after an eighth of what it has waited, from 10 ms to a second', async t => {
  const { add, start, next, pauses } = laneOf(t, {})
  add(2)
  start()
  let waited = 0
  for (let look = 0; look < 100; look++) {
    const pause = pauses.at(-1) ?? Number.NaN
    assert.equal(pause, Math.min(Math.max(10, waited / 8), 1000), `after ${waited} ms`)
    waited += pause
    await next()
  }
  assert.ok(waited > 60_000)
})

test('an early event leaves once it is stuck while others have no room', async t => {
  let full = false
  const { add, start, next, pass, handedBack } = laneOf(t, { isFull: () => full })
  add(2)
  start()
  pass(1000)
  await next()
  assert.equal(handedBack.length, 0)
  full = true
  await next()
  assert.deepEqual(
    handedBack.map(([number]) => number),
    [2],
  )
})

for (const [stuckMs, delayMs] of [
  [0, 500],
  [2000, 500],
  [4000, 1000],
  [20_000, 5000],
  [32_000, 8000],
  [600_000, 8000],
] as const) {
  test(`after ${stuckMs} ms of standing still, the events of an aggregate come again after ${delayMs} ms`, t => {
    const { lane, add, start, pass, handedBack } = laneOf(t, {})
    for (const number of [2, 3, 4]) add(number)
    start()
    pass(stuckMs)
    lane.postpone(1)
    assert.deepEqual(handedBack, [
      [3, delayMs],
      [4, delayMs],
    ])
  })
}

test('what has come again has stood still since it was early for the first time', t => {
  const { lane, add, start, pass, handedBack } = laneOf(t, {})
  pass(20_000)
  add(2, { earlySince: 0 })
  start()
  lane.postpone(0)
  assert.deepEqual(handedBack, [[2, 5000]])
})

test('tries are counted, and follow each other ever more slowly', async t => {
  const { add, start, next, pauses, kept } = laneOf(t, failing(true))
  add(1)
  start()
  await next()
  await next()
  await next()
  assert.deepEqual([pauses, kept], [[100, 200], [[1, 3]]])
})

test('what a dependency is to blame for is tried without end, every five seconds at last', async t => {
  const { add, start, next, pauses, kept } = laneOf(t, failing(false))
  add(1)
  start()
  for (let n = 0; n < 8; n++) await next()
  assert.deepEqual([pauses, kept], [[100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000], []])
})
