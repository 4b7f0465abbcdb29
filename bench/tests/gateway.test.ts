import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../../tests/support/size.ts'
import { chart, judge, markdownReport, parseOptions, terminalReport } from '../gateway/command.ts'
import { LOADS, type LoadName } from '../gateway/load.ts'
import { FULL, measure, QUICK, type Result, ratio, roleFile, runPlan, sampleOf } from '../gateway/measure.ts'
import { SUBJECTS, type SubjectName } from '../gateway/subjects.ts'
import { isInstalled } from '../install.ts'
import { Child } from '../process.ts'

const skip = isInstalled() ? false : 'bench/node_modules is not there: npm run bench -- gateway installs it'
const SHORT = { rounds: 1, passes: 1, bringUpMs: 50, warmUpMs: 20, settlingMs: 300, measuredMs: 1000 }

test('every proxy answers correctly under GET and POST', { skip: skip || onlyInFull }, async () => {
  const plan = { ...SHORT, subjects: SUBJECTS, loads: ['get', 'post'] as const }
  const results = await runPlan(plan, new AbortController().signal, () => {})
  assert.deepEqual(
    results.map(({ load, subject }) => `${load} ${subject}`),
    ['get', 'post'].flatMap(load => SUBJECTS.map(subject => `${load} ${subject}`)),
  )
  for (const { perSecond, cpuMicrosPerRequest } of results) assert.ok(perSecond > 0 && cpuMicrosPerRequest > 0)
})

test('a proxy with slow clients and idle connections serves the others', { skip }, async () => {
  const plan = { ...SHORT, subjects: ['gateway-apikey'] as const, loads: ['slow'] as const }
  const [result] = await runPlan(plan, new AbortController().signal, () => {})
  assert.ok(result && result.perSecond > 0)
})

test('a wrong answer through a proxy ends the measurement', async () => {
  await using generator = new Child('generator', roleFile('generator'))
  await using upstream = new Child('upstream', roleFile('upstream'))
  const port = await upstream.ask<number>('ready')
  // Asked without a proxy in front, the upstream answers this path with the verdict of the key check.
  const door = { port, paths: ['/verify/apikey'], postPath: '/', headers: {} }
  const { signal } = new AbortController()
  const measured = measure(generator, { process: generator, door }, { ...SHORT, load: 'get', signal })
  await assert.rejects(measured, /a wrong answer through the proxy: \{"valid"/)
})

const figures = (subject: SubjectName, load: LoadName, perSecond: number, cpuMicrosPerRequest: number): Result => {
  const sample = { perSecond, p50Ms: 1, p99Ms: 2, cpuMicrosPerRequest, memoryMb: 100 }
  return { subject, load, connections: 64, ...sample, turns: [sample] }
}

test('targets are judged by rate and by CPU', () => {
  const judged = judge([
    figures('bare', 'get', 10_000, 80),
    figures('gateway-apikey', 'get', 9000, 90),
    figures('gateway-1000-routes', 'get', 8500, 91),
    figures('gateway-apikey', 'slow', 8099, 95),
  ])
  assert.deepEqual(
    judged.map(({ met }) => met),
    [true, false, false, true, false, true],
  )
})

test('compares only measurements of the same turn', () => {
  const turns = (...rates: number[]) => rates.map(perSecond => ({ ...figures('bare', 'get', perSecond, 80) }))
  const bare = { ...figures('bare', 'get', 900, 80), turns: turns(1000, 900, 100) }
  const ours = { ...figures('gateway', 'get', 800, 80), turns: turns(900, 800, 95) }
  assert.equal(ratio(ours, bare, 'perSecond'), 0.9)
  assert.throws(() => ratio({ ...ours, turns: [] }, bare, 'perSecond'), RangeError)
})

test('the report has a table for each load, relative to bare; the chart has a panel for each figure', () => {
  const results = [figures('bare', 'post', 12_000, 80), figures('gateway', 'post', 6000, 100)]
  assert.match(terminalReport(results), /^gateway +6,000 +0\.50 +1\.00 +2\.00 +100\.0 +1\.25 +100$/m)
  assert.match(markdownReport(results), /^\| POST of 10 KB \| requests\/s \| ÷ bare \|/m)
  assert.equal(chart(results).match(/class="ours"/g)?.length, 2)
  assert.doesNotMatch(`${terminalReport(results)}${chart(results)}`, /NaN|undefined/)
})

test('CPU is counted over the proxy’s own window', () => {
  const window = { calls: 0, memoryMb: 50, wakeUps: 0, p50Ms: 1, p99Ms: 2 }
  const asking = { ...window, elapsedMs: 1000, calls: 2000, cpuMicros: 1 }
  const working = { ...window, elapsedMs: 500, cpuMicros: 100_000 }
  assert.equal(sampleOf(asking, working).cpuMicrosPerRequest, 100)
})

test('options: full and quick runs, and invalid ones', () => {
  assert.deepEqual(parseOptions([])?.plan, { ...FULL, subjects: [...SUBJECTS], loads: [...LOADS] })
  const chosen = parseOptions(['--quick', '--only', 'bare', '--load', 'slow', '--rounds', '2', '--json', 'x'])
  assert.deepEqual(chosen?.plan, { ...QUICK, subjects: ['bare'], loads: ['slow'], rounds: 2 })
  assert.equal(parseOptions(['--help']), undefined)
  for (const args of [['--only', 'kong'], ['--load', 'put'], ['--rounds', '0'], ['--quick', '--write-docs'], ['more']])
    assert.throws(() => parseOptions(args), Error, args.join(' '))
})

test('the command prints its help and refuses unknown options', () => {
  const file = fileURLToPath(new URL('../run.ts', import.meta.url))
  const run = (...args: string[]) => spawnSync(process.execPath, [file, ...args])
  assert.match(String(run('gateway', '--help').stdout), /--write-docs/)
  assert.equal(run('gateway', '--nothing').status, 2)
})
