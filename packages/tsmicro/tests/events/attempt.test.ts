import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attempt } from '../../src/events/attempt.ts'

test('a process without processor is excused, a handler that computes without end is not', t => {
  let [now, usedMs] = [0, 0]
  t.mock.method(performance, 'now', () => now)
  t.mock.method(process, 'cpuUsage', (before = { user: 0, system: 0 }) => ({
    user: usedMs * 1000 - before.user,
    system: 0,
  }))
  const late = (ms: number, computingMs: number) => {
    now += 10_000
    const attempt = new Attempt({} as never, 50, () => {})
    now += ms
    usedMs += computingMs
    attempt.cancel(new Error('the time is over'))
    return attempt.starved
  }
  assert.equal(late(60, 50), false)
  assert.equal(late(2000, 10), true)
  assert.equal(late(2000, 1900), false)
})
