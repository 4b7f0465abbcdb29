import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestClock } from '../src/api/session/request-clock.ts'

/** Clocks that stand still until they are moved; the watch's own beats come from `beat`. */
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
    /** Time in which the process runs. */
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

test('what is read while the process runs was sent just now, and grows older from then on', () => {
  const watch = startWatch()
  watch.run(10_000)
  assert.equal(watch.read(), 0)
  const age = watch.age()
  watch.run(3000)
  assert.equal(age.ageMs(), 3000)
  watch.stop()
})

test('what is read after a pause may be as old as the pause, whatever woke up first', () => {
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

test('frozen again before the backlog was read: as old as the first pause', () => {
  const watch = startWatch()
  watch.pass(5000)
  watch.run(500)
  watch.pass(7000)
  assert.equal(watch.read(), 12_500)
  watch.stop()
})

test('a machine that sleeps is a pause, a clock that is set back is none', () => {
  const watch = startWatch()
  watch.pass(60_000, { asleep: true })
  assert.equal(watch.read(), 60_000)
  watch.run(2000)
  watch.setClock(-3_600_000)
  assert.equal(watch.read(), 0)
  watch.stop()
})

test('a pause that no caller gives up in is none', () => {
  const watch = startWatch()
  watch.pass(900)
  assert.equal(watch.read(), 0)
  watch.stop()
})
