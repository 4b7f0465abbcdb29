import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../../tests/support/size.ts'
import { isInstalled } from '../install.ts'
import { parseOptions } from '../rpc/command.ts'
import { nameOf, QUICK, runPlan } from '../rpc/measure.ts'
import { SUBJECTS } from '../rpc/subjects.ts'

const SHORT = { rounds: 1, passes: 1, bringUpMs: 50, warmUpMs: 20, closedMs: 100, httpMs: 200, inFlight: [64] }
const skip = isInstalled() ? false : 'bench/node_modules is not there: npm run bench -- rpc installs it'

/** Processes of the benchmark that this one has started. */
function children(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
        return Number(parent) === process.pid
      } catch {
        return false
      }
    })
}

test('every subject answers correctly under every load, and leaves no process behind', {
  skip: skip || onlyInFull,
}, async () => {
  const plan = { ...SHORT, subjects: SUBJECTS, beside: [0, 1], httpPerSecond: undefined }
  const { results, baselines } = await runPlan(plan, new AbortController().signal, () => {})
  const loads = ['64 in flight', 'HTTP', 'HTTP beside a load of 1']
  const expected = loads.flatMap(load => SUBJECTS.map(subject => [subject, load]))
  assert.deepEqual(
    results.map(result => [result.subject, nameOf(result)]),
    expected,
  )
  for (const result of results) {
    assert.ok(result.perSecond > 0 && result.p50Ms > 0 && result.p99Ms >= result.p50Ms, JSON.stringify(result))
    assert.equal(result.load === 'http', result.offeredPerSecond !== undefined)
  }
  assert.ok(baselines.length === 2 && baselines.every(({ cpuMicros }) => cpuMicros > 0))
  assert.deepEqual(children(), [])
})

test('an interrupted run ends its processes at once', { skip }, async () => {
  const stop = new AbortController()
  const plan = { ...QUICK, subjects: ['bare' as const], inFlight: [1], beside: [4], httpPerSecond: 100 }
  const say = () => stop.abort()
  await assert.rejects(runPlan(plan, stop.signal, say), { name: 'AbortError' })
  assert.deepEqual(children(), [])
})

test('options: full and quick runs, and invalid ones', () => {
  const full = parseOptions([])
  assert.deepEqual(full?.plan.subjects, SUBJECTS)
  assert.equal(parseOptions(['--quick'])?.plan.rounds, QUICK.rounds)
  const chosen = parseOptions([
    '--only',
    'nestjs',
    '--only',
    'bare',
    '--rounds',
    '3',
    '--json',
    'x',
    '--http-rate',
    '500',
  ])
  assert.deepEqual(
    [chosen?.plan.subjects, chosen?.plan.rounds, chosen?.plan.httpPerSecond],
    [['bare', 'nestjs'], 3, 500],
  )
  assert.equal(parseOptions(['--help']), undefined)
  for (const args of [
    ['--nothing'],
    ['--only', 'express'],
    ['--load', 'heavy'],
    ['--rounds', '0'],
    ['more'],
    ['--quick', '--write-docs'],
  ])
    assert.throws(() => parseOptions(args), Error, args.join(' '))
})

test('the command prints its help and refuses unknown options', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('../run.ts', import.meta.url)), ...args])
  assert.equal(run('--help').status, 0)
  assert.match(String(run('rpc', '--help').stdout), /--write-docs/)
  for (const args of [[], ['grpc'], ['rpc', '--nothing'], ['--quick']])
    assert.equal(run(...args).status, 2, args.join())
})

test('the lockfile names no registry, and has a hash for every package', () => {
  const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')
  const packages: Record<string, { resolved?: string; integrity?: string }> = JSON.parse(text).packages
  for (const [path, { resolved, integrity }] of Object.entries(packages)) {
    if (path === '') continue
    assert.equal(resolved, undefined, path)
    assert.match(integrity ?? '', /^sha512-/, path)
  }
})
