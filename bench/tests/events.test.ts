import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onlyInFull } from '../../tests/support/size.ts'
import { events, judge, parseOptions } from '../events/command.ts'
import { LOADS, QUICK, type Result, runPlan, SUBJECTS } from '../events/measure.ts'
import { counter, timed } from '../events/subject.ts'
import { isInstalled } from '../install.ts'

const skip = isInstalled() ? false : 'bench/node_modules is not there: npm run bench -- events installs it'

test('all subjects send and handle all events', { skip: skip || onlyInFull }, async () => {
  const results = await runPlan({ rounds: 1, events: 500, latencyMs: 200 }, new AbortController().signal, () => {})
  assert.deepEqual(
    results.map(({ load, subject }) => [load, subject]),
    LOADS.flatMap(load => SUBJECTS.map(subject => [load, subject])),
  )
  for (const { load, perSecond, cpuMicros, p50Ms, p99Ms } of results) {
    assert.ok(perSecond > 0 && cpuMicros > 0)
    assert.ok(load === 'latency' ? p99Ms >= p50Ms : p99Ms === 0)
  }
})

test('a rate leaves out the first fifth', async () => {
  const { next, sample } = counter(10)
  for (let n = 0; n < 9; n++) next()
  assert.equal(await Promise.race([sample, undefined]), undefined)
  next()
  assert.ok((await sample).perSecond > 0)
})

test('a latency is the time from when an event was on its way; one that is handled before counts as 0', async () => {
  const { handled, run } = timed({ perSecond: 10_000, count: 10 })
  const { p50Ms, p99Ms } = await run(async n => {
    handled(n)
    return performance.now() + 1000
  })
  assert.deepEqual([p50Ms, p99Ms], [0, 0])
})

test('options, the report, and what is judged', () => {
  assert.equal(parseOptions(['--quick'])?.plan.rounds, QUICK.rounds)
  assert.equal(parseOptions(['--rounds', '2'])?.plan.rounds, 2)
  assert.equal(parseOptions(['--help']), undefined)
  assert.throws(() => parseOptions(['--only', 'bare']), Error)
  const result = (load: Result['load'], subject: Result['subject'], perSecond: number, p50Ms = 0, p99Ms = 0) => {
    return { load, subject, perSecond, cpuMicros: 10, p50Ms, p99Ms }
  }
  const results = [
    ...[result('publish', 'bare', 100), result('publish', 'tsmicro', 70)],
    ...[result('consume', 'bare', 100), result('consume', 'tsmicro', 69)],
    ...[result('latency', 'bare', 10, 1, 2), result('latency', 'tsmicro', 10, 3, 51)],
  ]
  assert.deepEqual(
    judge(results).map(({ met }) => met),
    [true, false, true, false],
  )
  assert.match(events.terminal(results), /handled, tsmicro +69 +10\.0 +1\.00\n/)
  assert.match(
    events.markdown(results),
    /\| from commit to handler, tsmicro \| 10 \| 10\.0 \| 3\.00 \| 51\.00 \| 1\.00 \|/,
  )
  assert.match(events.chart(results), /^<svg/)
})
