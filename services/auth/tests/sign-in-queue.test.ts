import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import { OVERLOADED } from 'tsmicro'
import { KeyedQueue } from '../src/api/sign-in-throttle/keyed-queue.ts'

test('tasks of one key run one at a time, in order, even after one fails', async () => {
  const queue = new KeyedQueue()
  const seen: number[] = []
  let running = 0
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) =>
      queue.run('a', async () => {
        assert.equal(++running, 1)
        await tick()
        running--
        seen.push(n)
        if (n % 3 === 0) throw new Error(`task ${n}`)
        return n
      }),
    ),
  )
  assert.deepEqual(seen, [...Array(20).keys()])
  for (const [n, { status }] of results.entries()) assert.equal(status, n % 3 === 0 ? 'rejected' : 'fulfilled')
})

test('other keys do not wait', async () => {
  const queue = new KeyedQueue()
  const held = Promise.withResolvers<void>()
  const first = queue.run('a', () => held.promise)
  assert.equal(await queue.run('b', async () => 'b'), 'b')
  held.resolve()
  await first
})

test('beyond 64 waiting tasks, callers are asked to come back; the others are run', async () => {
  const queue = new KeyedQueue()
  const held = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 65 }, () => queue.run('a', () => held.promise))
  await assert.rejects(
    queue.run('a', () => held.promise),
    OVERLOADED,
  )
  held.resolve()
  await Promise.all(waiting)
  assert.equal(await queue.run('a', async () => 'again'), 'again')
})

test('callers who leave while waiting do not delay the others, and those who have already left do not start', async () => {
  const queue = new KeyedQueue()
  const held = Promise.withResolvers<void>()
  const first = queue.run('a', () => held.promise)
  const leaving = new AbortController()
  const gone = Array.from({ length: 64 }, () =>
    queue.run('a', () => assert.fail('nobody waits for this'), leaving.signal),
  )
  leaving.abort(new Error('left'))
  for (const each of gone) await assert.rejects(each, /left/)
  const patient = queue.run('a', async () => 'patient', new AbortController().signal)
  held.resolve()
  await first
  assert.equal(await patient, 'patient')
  await assert.rejects(
    queue.run('a', () => assert.fail('nobody waits for this'), leaving.signal),
    /left/,
  )
  assert.equal(await queue.run('a', async () => 'again'), 'again')
})
