import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive } from '@tsmicro/infra'
import { Backoff } from '../src/supervise/backoff.ts'
import { Disk } from '../src/supervise/disk.ts'
import { Worker, WorkerStartError } from '../src/supervise/worker.ts'
import { until } from './support/supervisor.ts'

/** Ready while the process that reported its pid last is alive. */
const latestIsAlive = async (lines: readonly string[]) => isAlive(Number(lines.at(-1)))

function workerOf(script: string, probe: (lines: readonly string[]) => Promise<boolean>, cwd = process.cwd()) {
  const lines: string[] = []
  const said: string[] = []
  const worker = new Worker({
    name: 'w',
    command: [process.execPath, '-e', script],
    cwd,
    env: process.env,
    probe: async () => lines.length > 0 && (await probe(lines)),
    answers: async () => true,
    readyTimeoutMs: 20_000,
    onLine: line => lines.push(line),
    say: text => said.push(text),
    disk: new Disk(tmpdir(), text => said.push(text)),
  })
  return { worker, lines, said }
}

const STUBBORN = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(process.pid)"

test('a worker that does not end on SIGTERM is killed, with a warning', async () => {
  const { worker, lines, said } = workerOf(STUBBORN, async () => true)
  await worker.start()
  await worker.stop(1)
  assert.deepEqual(said, ['w did not end within 0 s and was killed'])
  assert.equal(isAlive(Number(lines[0])), false)
})

test('a worker that is stopped before it is ready ends, and its start reports that', async () => {
  const { worker, said } = workerOf('setInterval(() => {}, 1000); console.log(1)', async () => false)
  const started = assert.rejects(worker.start(), WorkerStartError)
  await worker.stop(10_000)
  await started
  assert.deepEqual(said, [])
})

test('restarts are delayed by 0.25 to 10 seconds, beginning again after some time without crashes', () => {
  const backoff = new Backoff()
  assert.deepEqual(
    [0, 0, 0, 0, 0, 0, 0, 0].map(up => backoff.next(up)),
    [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000],
  )
  assert.equal(backoff.next(60_000), 250)
})

test('replacing a worker ends it and starts it again, without reporting a crash', async () => {
  const { worker, lines, said } = workerOf('setInterval(() => {}, 1000); console.log(process.pid)', latestIsAlive)
  await worker.start()
  await worker.replace(10_000)
  const [first, second] = lines.map(Number)
  assert.ok(second !== undefined && first !== second)
  assert.deepEqual([isAlive(Number(first)), isAlive(second)], [false, true])
  await worker.stop(10_000)
  assert.deepEqual([said, isAlive(second)], [[], false])
  await assert.rejects(worker.replace(1), /w is being stopped/)
})

test('replacing fails if the new process ends immediately, and the worker keeps trying', async () => {
  const script = `
    const { existsSync } = require('node:fs')
    if (existsSync(process.env.MARK)) process.exit(3)
    setInterval(() => {}, 1000)
    console.log(process.pid)`
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-worker-'))
  const mark = join(folder, 'mark')
  process.env.MARK = mark
  try {
    const { worker, said } = workerOf(script, latestIsAlive)
    await worker.start()
    writeFileSync(mark, '')
    await assert.rejects(worker.replace(10_000), /w ended while starting \(exit code 3\)/)
    rmSync(mark)
    await worker.replace(10_000)
    assert.match(said.join('\n'), /^w crashed \(exit code 3\), restarting/)
    await worker.stop(10_000)
  } finally {
    rmSync(folder, { recursive: true })
    delete process.env.MARK
  }
})

test('a worker that cannot be spawned is tried again and again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsmicro-worker-'))
  const cwd = join(folder, 'gone')
  mkdirSync(cwd)
  try {
    const { worker, lines, said } = workerOf(
      'setInterval(() => {}, 1000); console.log(process.pid)',
      latestIsAlive,
      cwd,
    )
    await worker.start()
    rmSync(cwd, { recursive: true })
    worker.end()
    await until('it could not be spawned', () => said.some(line => /crashed \(w cannot be run/.test(line)))
    await assert.rejects(worker.replace(1), /w cannot be run/)
    mkdirSync(cwd)
    await until('it is up again', () => said.some(line => line === 'w is up again'))
    assert.ok(isAlive(Number(lines.at(-1))))
    await worker.stop(10_000)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
