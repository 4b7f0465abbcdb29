import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter, median, medians, type Window } from '../meter.ts'
import { arrivals } from '../rpc/load.ts'
import { sampleOf } from '../rpc/pair.ts'
import { answer, requestOf, verify } from '../rpc/payload.ts'

test('the median of odd and even lists; an empty list has none', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([10, 2, 1, 4]), 3)
  assert.equal(median([7]), 7)
  assert.throws(() => median([]), RangeError)
})

const window = (part: Partial<Window>): Window => {
  return { elapsedMs: 1000, calls: 0, cpuMicros: 0, wakeUps: 0, memoryMb: 0, p50Ms: 0, p99Ms: 0, ...part }
}

test('CPU per call takes each process by its own window', () => {
  const client = window({ calls: 1000, cpuMicros: 30_000, wakeUps: 400, memoryMb: 100, p50Ms: 1, p99Ms: 2 })
  const server = window({ elapsedMs: 2000, cpuMicros: 40_000, wakeUps: 1200, memoryMb: 50 })
  const expected = { perSecond: 1000, p50Ms: 1, p99Ms: 2, cpuMicrosPerCall: 50, wakeUpsPerCall: 1, memoryMb: 150 }
  assert.deepEqual(sampleOf(client, [client, server]), expected)
})

test('each figure has its own median', () => {
  const sample = (value: number, memoryMb: number) => {
    return { perSecond: value, p50Ms: value, p99Ms: value, cpuMicrosPerCall: value, wakeUpsPerCall: value, memoryMb }
  }
  assert.deepEqual(medians([sample(1, 30), sample(2, 10), sample(3, 20)]), sample(2, 20))
})

test('the meter counts since the last mark, and in total', () => {
  const meter = new Meter()
  for (let i = 0; i < 99; i++) meter.record(performance.now() - 10)
  meter.record(performance.now() - 500)
  const { calls, p50Ms, p99Ms, memoryMb } = meter.mark()
  assert.equal(calls, 100)
  assert.ok(p50Ms >= 10 && p99Ms >= p50Ms && memoryMb > 10)
  meter.count()
  const next = meter.mark()
  assert.deepEqual([next.calls, next.p50Ms, next.p99Ms, meter.total], [1, 0, 0, 101])
})

test('arrivals keep their rate, are irregular, and are the same every time', () => {
  const gaps = () => {
    const times = arrivals(1000, 5)
    let before = 5
    return Array.from({ length: 20_000 }, () => {
      const due = times.next().value
      const gap = due - before
      before = due
      return gap
    })
  }
  const seen = gaps()
  assert.deepEqual(seen, gaps())
  assert.ok(seen.every(gap => gap >= 0))
  const mean = seen.reduce((sum, gap) => sum + gap, 0) / seen.length
  assert.ok(Math.abs(mean - 1) < 0.03, `a mean gap of ${mean} ms at 1000 a second`)
  // Of exponential gaps, 1/e are longer than the mean.
  const long = seen.filter(gap => gap > 1).length / seen.length
  assert.ok(Math.abs(long - 1 / Math.E) < 0.02, String(long))
})

test('an answer is checked against its request', async () => {
  const right = await answer(requestOf(7))
  verify(7, right)
  assert.throws(() => verify(8, right), /wrong answer to call 8/)
  assert.throws(() => verify(7, { ...right, valid: false }), /wrong answer/)
  assert.throws(() => verify(7, undefined), /wrong answer to call 7/)
})
