import assert from 'node:assert/strict'
import { test } from 'node:test'
import { report } from '../src/plugins/rate-limiting.ts'
import { Counters, type Limits, type Period, windowStart } from '../src/plugins/request-counters.ts'

const limitsOf = (limits: Partial<Record<Period, number>>): Limits =>
  new Map(Object.entries(limits) as [Period, number][])
const at = (text: string) => Date.parse(text)

test('windows follow the calendar in UTC', () => {
  const now = at('2024-02-29T23:59:59.999Z')
  const starts: [Period, string][] = [
    ['second', '2024-02-29T23:59:59Z'],
    ['minute', '2024-02-29T23:59:00Z'],
    ['hour', '2024-02-29T23:00:00Z'],
    ['day', '2024-02-29T00:00:00Z'],
    ['month', '2024-02-01T00:00:00Z'],
    ['year', '2024-01-01T00:00:00Z'],
  ]
  for (const [period, start] of starts) assert.equal(windowStart(period, now), at(start), period)
})

test('a limit is used up, and reset in the next window; refused requests are not counted', () => {
  const counters = new Counters(10)
  const limits = limitsOf({ minute: 2, hour: 3 })
  const take = (time: string) => {
    const { exceeded, usages } = counters.take('a', limits, at(`2024-01-01T${time}Z`))
    return [exceeded, ...usages.map(({ remaining }) => remaining)]
  }
  assert.deepEqual(take('00:00:00'), [false, 1, 2])
  assert.deepEqual(take('00:00:59'), [false, 0, 1])
  assert.deepEqual(take('00:00:59.999'), [true, 0, 1])
  assert.deepEqual(take('00:01:00'), [false, 1, 0])
  assert.deepEqual(take('00:01:01'), [true, 1, 0])
  assert.deepEqual(take('01:00:00'), [false, 1, 2])
})

test('senders are counted separately; setting the clock back does not allow more requests', () => {
  const counters = new Counters(10)
  const limits = limitsOf({ second: 1 })
  const take = (sender: string, now: number) => counters.take(sender, limits, now).exceeded
  assert.deepEqual([take('a', 5000), take('b', 5000), take('a', 5999)], [false, false, true])
  assert.deepEqual([take('a', 4000), take('a', 6000), take('a', 6001)], [true, false, true])
})

test('header fields: for each period, and for the one with the least left (of equal ones, the longer)', () => {
  const counters = new Counters(10)
  const limits = limitsOf({ second: 4, minute: 5, hour: 5 })
  const now = at('2024-01-01T00:10:20.500Z')
  counters.take('a', limits, now - 1000)
  const { fields, reset } = report(counters.take('a', limits, now), now)
  assert.deepEqual(Object.fromEntries(fields), {
    'X-RateLimit-Limit-Second': '4',
    'X-RateLimit-Remaining-Second': '3',
    'X-RateLimit-Limit-Minute': '5',
    'X-RateLimit-Remaining-Minute': '3',
    'X-RateLimit-Limit-Hour': '5',
    'X-RateLimit-Remaining-Hour': '3',
    'RateLimit-Limit': '5',
    'RateLimit-Remaining': '3',
    'RateLimit-Reset': String(3600 - 620),
  })
  assert.equal(reset, 2980)
})

test('a month has 30 days for the reset, and it never falls below a second', () => {
  const counters = new Counters(10)
  const last = at('2024-01-31T12:00:00Z')
  assert.equal(report(counters.take('a', limitsOf({ month: 5 }), last), last).reset, 1)
})

test('memory is bounded: a flood of senders is forgotten, a steady sender is not', () => {
  const counters = new Counters(1000)
  const limits = limitsOf({ day: 5 })
  const now = at('2024-01-01T00:00:00Z')
  let passed = 0
  for (let i = 0; i < 20_000; i++) {
    counters.take(`flood ${i}`, limits, now)
    if (i % 100 === 0 && !counters.take('steady', limits, now).exceeded) passed += 1
    assert.ok(counters.size <= 1000)
  }
  assert.equal(passed, 5)
})

test('a flood is forgotten after a while, and does not cut a window short', () => {
  const counters = new Counters(1000)
  const limits = limitsOf({ minute: 1 })
  const start = at('2024-01-01T00:00:30Z')
  for (let i = 0; i < 400; i++) counters.take(`flood ${i}`, limits, start)
  for (let second = 0; second < 30; second++) {
    assert.equal(counters.take('flood 7', limits, start + second * 1000).exceeded, true)
  }
  for (let minute = 1; minute < 4; minute++) counters.take('other', limits, start + minute * 60_000)
  assert.ok(counters.size < 10, String(counters.size))
})
