import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../../tests/support/size.ts'
import { ROOT } from '../install.ts'
import { judge, parseOptions, platform } from '../platform/command.ts'
import { FULL, QUICK, type Result, runPlan } from '../platform/measure.ts'
import { ROUTES } from '../platform/traffic.ts'
import { ratioOf, shownRatio } from '../ratio.ts'

const SHORT = { rounds: 2, passes: 1, bringUpMs: 100, warmUpMs: 20, measuredMs: 200 }

test('both checkouts answer every route correctly, also in new processes', { skip: onlyInFull }, async () => {
  const plan = { ...SHORT, routes: ROUTES, against: fileURLToPath(ROOT) }
  const { results, services } = await runPlan(plan, new AbortController().signal, () => {})
  assert.deepEqual(
    results.map(({ route, connections, subject }) => `${route} ${connections} ${subject}`),
    ROUTES.flatMap(route =>
      [64, 1].flatMap(connections => ['now', 'before'].map(subject => `${route} ${connections} ${subject}`)),
    ),
  )
  for (const { perSecond, cpuMicros, p99Ms, rssMb, turns } of results) {
    assert.ok(perSecond > 0 && cpuMicros > 0 && p99Ms > 0 && rssMb > 0)
    assert.equal(turns.length, 2)
  }
  assert.equal(services.length, 4)
})

const result = (subject: Result['subject'], rates: readonly number[], connections = 64): Result => {
  const turns = rates.map(perSecond => ({ perSecond, cpuMicros: 100, p99Ms: 2, rssMb: 90 }))
  return { bench: 'platform', subject, route: 'draft', connections, ...(turns[0] as (typeof turns)[0]), turns }
}

test('ratios are those of neighbours, with a confidence interval; what is inside is equal', () => {
  const { mean, low, high } = ratioOf([200, 20, 400], [100, 10, 200])
  assert.deepEqual(
    [mean, low, high].map(each => each.toFixed(6)),
    ['2.000000', '2.000000', '2.000000'],
  )
  assert.equal(shownRatio(ratioOf([200, 210, 190], [100, 100, 100])), '2.00 (1.76–2.26)')
  assert.match(shownRatio(ratioOf([90, 110, 100], [100, 100, 100])), /^equal \(0\.\d+–1\.\d+\)$/)
  assert.match(shownRatio(ratioOf([90], [100])), /^equal/)
  assert.throws(() => ratioOf([1], [1, 2]), RangeError)
})

test('the report compares both checkouts, or shows one alone; targets need both', () => {
  const services = [{ subject: 'now', service: 'blog', startMs: 800, idleMb: 100, afterMb: 200 }] as const
  const now = result('now', [250, 250])
  const both = {
    results: [now, result('before', [100, 101]), result('now', [300], 1), result('before', [200], 1)],
    services,
  }
  assert.deepEqual(
    judge(both).map(({ met }) => met),
    [false, false],
  )
  assert.match(platform.terminal(both), /^draft, 64 connections: now +250 +2\.49 \(2\.3\d–2\.6\d\) +100 +2\.00 +90$/m)
  assert.match(platform.markdown(both), /\| draft, one connection: before \| 200 \|/)
  const alone = platform.terminal({ results: [now], services })
  assert.match(alone, /^draft, 64 connections +250 /m)
  assert.match(alone, /^blog +800 +100 +200$/m)
  assert.doesNotMatch(alone, /before:|met|missed|NaN|undefined/)
  assert.match(platform.chart(both), /^<svg/)
})

test('options', () => {
  assert.deepEqual(parseOptions([])?.plan, { ...FULL, routes: [...ROUTES], against: undefined })
  const root = fileURLToPath(ROOT)
  const chosen = parseOptions(['--quick', '--route', 'draft', '--against', root, '--rounds', '2'])
  assert.deepEqual(chosen?.plan, { ...QUICK, routes: ['draft'], against: root.replace(/\/$/, ''), rounds: 2 })
  assert.throws(() => parseOptions(['--against', '/nowhere']), /not a checkout/)
})
