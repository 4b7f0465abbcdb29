import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { onlyInFull } from '../../tests/support/size.ts'
import { chart, http, judge, parseOptions } from '../http/command.ts'
import { ALL, cellsOf, FULL, QUICK, type Result, ratio, roleFile, runPlan } from '../http/measure.ts'
import { listen, type SubjectName } from '../http/subjects.ts'
import type { Route } from '../http/traffic.ts'
import { isInstalled } from '../install.ts'
import { Child } from '../process.ts'
import { measure } from '../turns.ts'

const skip = isInstalled() ? false : 'bench/node_modules is not there: npm run bench -- http installs it'
const SHORT = { rounds: 1, passes: 1, bringUpMs: 20, warmUpMs: 20, measuredMs: 50 }

test('every subject answers correctly on every route, with and without a log', {
  skip: skip || onlyInFull,
}, async () => {
  const plan = { ...SHORT, ...ALL }
  const results = await runPlan(plan, new AbortController().signal, () => {})
  assert.equal(results.length, 28)
  for (const { perSecond, cpuMicros, rssMb } of results) assert.ok(perSecond > 0 && cpuMicros > 0 && rssMb > 0)
})

test('a wrong answer ends the measurement', async () => {
  await using generator = new Child('generator', roleFile('generator'))
  const server = createServer((_request, response) => response.setHeader('content-length', 2).end('{}'))
  const port = await listen(server)
  const turn = { generator, order: { port, route: 'get', signed: true }, answering: [generator] as const }
  const times = { ...SHORT, signal: new AbortController().signal }
  await assert.rejects(measure(turn, times), /a wrong answer: \{\}/)
  server.close()
})

const figures = (subject: SubjectName, route: Route, cpu: readonly number[], signed = false): Result => {
  const turns = cpu.map(cpuMicros => ({ perSecond: 1e6 / cpuMicros, cpuMicros, p99Ms: 2, rssMb: 100 }))
  const [first = { perSecond: 0, cpuMicros: 0, p99Ms: 0, rssMb: 0 }] = turns
  return { bench: 'http', subject, route, log: false, signed, ...first, turns }
}

test('a ratio has a confidence interval, narrow if all turns agree', () => {
  const fastify = figures('fastify', 'get', [20, 40, 30])
  const same = ratio(figures('tsmicro', 'get', [22, 44, 33]), fastify, 'cpuMicros')
  assert.ok([same.mean, same.low, same.high].every(each => Math.abs(each - 1.1) < 1e-9))
  const spread = ratio(figures('tsmicro', 'get', [30, 30, 30]), fastify, 'cpuMicros')
  assert.ok(spread.low < 1 && spread.high > 1)
  assert.equal(ratio(figures('tsmicro', 'get', [20]), figures('fastify', 'get', [20]), 'cpuMicros').high, Infinity)
  assert.throws(() => ratio(fastify, figures('tsmicro', 'get', [1]), 'cpuMicros'), RangeError)
})

test('targets and the report', () => {
  const results = [
    figures('tsmicro', 'get', [22, 22]),
    figures('fastify', 'get', [20, 20]),
    figures('nestjs', 'get', [32, 32]),
    figures('tsmicro', 'protected', [40, 40], true),
  ]
  assert.deepEqual(
    judge(results).map(({ met }) => met),
    [true, true, false, false],
  )
  const text = http.terminal(results)
  assert.match(text, /^tsmicro +45,455 +0\.91 \(0\.91–0\.91\) +22\.0 +1\.10 \(1\.10–1\.10\) +2\.00 +100$/m)
  assert.match(text, /^fastify +50,000 {2,}20\.0 {2,}2\.00 +100$/m)
  assert.match(http.markdown(results), /^\| GET, token and role \| requests\/s \|/m)
  assert.equal(chart(results).match(/class="ours"/g)?.length, 2)
  assert.doesNotMatch(`${text}${chart(results)}`, /NaN|undefined/)
})

test('options: full and quick runs, and invalid ones', () => {
  assert.deepEqual(parseOptions([])?.plan, { ...FULL, ...ALL })
  const chosen = parseOptions(['--quick', '--only', 'fastify', '--route', 'post', '--log', 'on', '--rounds', '2'])
  assert.deepEqual(chosen?.plan, { ...QUICK, subjects: ['fastify'], routes: ['post'], logs: [true], rounds: 2 })
  assert.deepEqual(cellsOf({ ...QUICK, subjects: ['tsmicro'], routes: ['get'], logs: [true] }).length, 2)
  assert.equal(parseOptions(['--help']), undefined)
  for (const args of [
    ['--only', 'express'],
    ['--route', 'put'],
    ['--rounds', '0'],
    ['--quick', '--write-docs'],
  ])
    assert.throws(() => parseOptions(args), Error, args.join(' '))
})
