import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../meter.ts'
import { Child } from '../process.ts'
import { ClosedLoop } from '../rpc/load.ts'
import { roleFile } from '../rpc/pair.ts'
import { answer, requestOf } from '../rpc/payload.ts'

test('a closed loop keeps the given number of calls in flight, and stops', async () => {
  let [now, most] = [0, 0]
  const meter = new Meter()
  const loop = new ClosedLoop(async request => {
    most = Math.max(most, ++now)
    await new Promise(setImmediate)
    now--
    return answer(request)
  }, meter)
  loop.start(8)
  while (meter.total < 100) await new Promise(setImmediate)
  await loop.stop()
  assert.deepEqual([most, now], [8, 0])
})

test('one failed or wrong call ends a closed loop with its error', async () => {
  let calls = 0
  const failing = new ClosedLoop(async request => {
    if (++calls === 20) throw new Error('lost')
    return answer(request)
  }, new Meter())
  failing.start(4)
  while (calls < 20) await new Promise(setImmediate)
  await assert.rejects(failing.stop(), /lost/)
  const wrong = new ClosedLoop(() => answer(requestOf(1000)), new Meter())
  wrong.start(1)
  await assert.rejects(wrong.stop(), /wrong answer to call 0/)
})

test('a child reports its error, an unknown task, and its exit', async () => {
  await using child = new Child('client of nothing', roleFile('client'), [
    'no-such-subject',
    'nats://127.0.0.1:1',
    'auth',
  ])
  await assert.rejects(child.ask('ready'), /^Error: client of nothing: .*no-such-subject/)
  await assert.rejects(child.ask('fly'), /client of nothing: Error: unknown task fly/)
  const waiting = child.ask('ready')
  const rejected = assert.rejects(waiting, /client of nothing/)
  await child[Symbol.asyncDispose]()
  await rejected
  await assert.rejects(child.ask('mark'), /client of nothing ended with SIGKILL/)
})
