import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestClock } from '../src/api/session/request-clock.ts'

/** Clocks that stand still until they are moved. */
function startWatch() {
  let [steady, wall] = [0, 1_000_000]
  const clock = new RequestClock(() => [steady, wall])
  return {
    read: () => clock.read().ageMs(),
    age: () => clock.read(),
    pass(ms: number, { asleep = false } = {}) {
      if (!asleep) steady += ms
      wall += ms
    },
    /** Time in which the process is running. */
    run(ms: number) {
      for (let left = ms; left > 0; left -= 250) {
        steady += Math.min(left, 250)
        wall += Math.min(left, 250)
        clock.read()
      }
    },
    setClock: (ms: number) => {
      wall += ms
    },
    stop: () => clock.stop(),
  }
}

test('a request read while the process is running was sent just now, and ages from then on', () => {
  const watch = startWatch()
  watch.run(10_000)
  assert.equal(watch.read(), 0)
  const age = watch.age()
  watch.run(3000)
  assert.equal(age.ageMs(), 3000)
  watch.stop()
})

test('a request read after a pause may be as old as the pause, no matter what runs first', () => {
  const watch = startWatch()
  watch.run(1000)
  watch.pass(16_000)
  assert.equal(watch.read(), 16_000)
  watch.run(500)
  assert.equal(watch.read(), 16_500, 'the backlog is still being read')
  watch.run(1000)
  assert.equal(watch.read(), 0, 'that is over')
  watch.stop()
})

test('if the process freezes again before the backlog is read, the backlog is as old as the first pause', () => {
  const watch = startWatch()
  watch.pass(5000)
  watch.run(500)
  watch.pass(7000)
  assert.equal(watch.read(), 12_500)
  watch.stop()
})

test('a sleeping machine counts as a pause, a clock that is set back does not', () => {
  const watch = startWatch()
  watch.pass(60_000, { asleep: true })
  assert.equal(watch.read(), 60_000)
  watch.run(2000)
  watch.setClock(-3_600_000)
  assert.equal(watch.read(), 0)
  watch.stop()
})

test('a pause too short for any caller to give up does not count', () => {
  const watch = startWatch()
  watch.pass(900)
  assert.equal(watch.read(), 0)
  watch.stop()
})
