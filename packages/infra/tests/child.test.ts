import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { childEnvironment, endChild, spawnChild, starvedMs } from '../src/index.ts'
import { readLines } from '../src/process/child.ts'
import { until } from './support/until.ts'

test('a child sees only what programs need of the environment, and what is named', async () => {
  const env = { PATH: '/bin', LC_TIME: 'C', TZ: 'UTC', NPM_TOKEN: 'x', DATABASE_URL: 'y', NODE_OPTIONS: '--inspect' }
  assert.deepEqual(childEnvironment(env), { PATH: '/bin', LC_TIME: 'C', TZ: 'UTC' })
  assert.deepEqual(childEnvironment({ NPM_TOKEN: 'x', A: 'b' }, ['A', 'toString']), { A: 'b' })
  process.env.TSMICRO_TEST_SECRET = 'hidden'
  try {
    const child = await spawnChild({ name: 'env', command: ['env'], deathSignal: 'KILL' })
    await child.exited
    assert.ok(child.output.some(line => line.startsWith('PATH=')))
    assert.ok(!child.output.some(line => line.includes('TSMICRO_TEST_SECRET')))
    const mark = `TSMICRO_TEST_PROCESS=${process.env.TSMICRO_TEST_PROCESS}`
    if ('TSMICRO_TEST_PROCESS' in process.env) assert.ok(child.output.includes(mark), 'the test runner finds it')
  } finally {
    delete process.env.TSMICRO_TEST_SECRET
  }
})

test('lines are split anywhere, of any length, with or without a line break at the end', async () => {
  const lines: string[] = []
  const source = new PassThrough()
  readLines(source, line => lines.push(line))
  const text = Buffer.from('one\r\ntwo\n\nthrée')
  for (const byte of text) source.write(Buffer.of(byte))
  source.write('x'.repeat(200_000))
  source.end()
  await new Promise(resolve => source.once('end', resolve))
  assert.deepEqual(lines.slice(0, 3), ['one', 'two', ''])
  assert.equal(lines.slice(3).join(''), `thrée${'x'.repeat(200_000)}`)
  assert.ok(lines.every(line => line.length <= 65_536))
})

test('time that a process waits for a processor is counted as such', async () => {
  const busy = Array.from({ length: 2 * availableParallelism() }, () =>
    spawnChild({ name: 'busy', command: [process.execPath, '-e', 'for (;;);'], deathSignal: 'KILL' }),
  )
  const children = await Promise.all(busy)
  try {
    await until('one of them to wait', () => children.some(({ pid }) => starvedMs(pid) > 50))
  } finally {
    await Promise.all(children.map(child => endChild(child, 'SIGKILL', 1000)))
  }
  assert.equal(starvedMs(children[0]?.pid ?? 0), 0, 'a process that has ended')
})
