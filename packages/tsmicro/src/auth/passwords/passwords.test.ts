import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { OVERLOADED } from '../../errors/index.ts'
import { FairQueue } from './fair-queue.ts'
import { createPasswordHasher } from './hasher.ts'

const cheap = { memoryCostKiB: 64, timeCost: 1 }

test('hashes with argon2id and verifies', async () => {
  const passwords = createPasswordHasher(cheap)
  const stored = await passwords.hash('correct horse')
  assert.match(stored, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
  assert.equal(await passwords.verify(stored, 'correct horse'), true)
  assert.equal(await passwords.verify(stored, 'correct horsf'), false)
  assert.notEqual(await passwords.hash('correct horse'), stored)
})

test('the defaults are the values recommended by OWASP', async () => {
  assert.match(await createPasswordHasher().hash('x'), /\$m=19456,t=2,p=1\$/)
})

test('an unknown account is refused, whatever the password', async () => {
  const passwords = createPasswordHasher(cheap)
  for (const password of ['', 'x', 'changeit']) assert.equal(await passwords.verify(undefined, password), false)
})

test('the same password in other code points is the same password', async () => {
  const passwords = createPasswordHasher(cheap)
  const stored = await passwords.hash('caf\u00e9 123')
  assert.equal(await passwords.verify(stored, 'cafe\u0301 \uff11\uff12\uff13'), true)
})

test('a stored text that is not a hash is an error, not a wrong password', async () => {
  await assert.rejects(createPasswordHasher(cheap).verify('plain', 'plain'))
})

test('reports a hash of another strength', async () => {
  const old = await createPasswordHasher(cheap).hash('x')
  assert.equal(createPasswordHasher(cheap).needsRehash(old), false)
  assert.equal(createPasswordHasher({ ...cheap, timeCost: 2 }).needsRehash(old), true)
  assert.equal(createPasswordHasher({ ...cheap, memoryCostKiB: 128 }).needsRehash(old), true)
  assert.equal(createPasswordHasher(cheap).needsRehash(old.replace('argon2id', 'argon2i')), true)
})

test('refuses with OVERLOADED when the queue is full, and recovers', async () => {
  const passwords = createPasswordHasher({ ...cheap, concurrency: 1, maxQueued: 2 })
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash('x')))
  const refused = results.filter(result => result.status === 'rejected')
  assert.equal(refused.length, 5)
  for (const { reason } of refused) {
    assert.ok(reason instanceof OVERLOADED)
    assert.equal(reason.retryAfterSeconds, 1)
  }
  assert.ok(await passwords.hash('x'))
})

/** Runs tasks one at a time, all waiting for the first one, and returns the order in which they ran. */
async function orderOf(maxQueued: number, tasks: readonly { kind?: string; by?: string; signal?: AbortSignal }[]) {
  const turns = new FairQueue({ concurrency: 1, maxQueued })
  const order: number[] = []
  const held = Promise.withResolvers<void>()
  const first = turns.run(() => held.promise)
  const results = tasks.map((work, index) => turns.run(async () => void order.push(index), work))
  const settled = Promise.allSettled(results)
  held.resolve()
  await first
  const refused = (await settled).flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))
  return { order, refused }
}

test('runs no more tasks at a time than allowed, in order, and goes on after failures', async () => {
  const turns = new FairQueue({ concurrency: 3, maxQueued: 1000 })
  let active = 0
  let most = 0
  const order: number[] = []
  const tasks = Array.from({ length: 200 }, (_, index) =>
    turns.run(async () => {
      order.push(index)
      most = Math.max(most, ++active)
      for (let n = index % 5; n > 0; n--) await Promise.resolve()
      active--
      if (index % 7 === 0) throw new Error('task')
      return index
    }),
  )
  const results = await Promise.allSettled(tasks)
  assert.equal(most, 3)
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
  assert.equal(results.filter(result => result.status === 'rejected').length, 29)
})

test('kinds take turns, and so do callers within a kind', async () => {
  const ups = Array.from({ length: 6 }, () => ({ kind: 'sign-up' }))
  const { order } = await orderOf(64, [...ups, { kind: 'sign-in' }, { kind: 'sign-in' }, { kind: 'change' }])
  assert.deepEqual(order, [0, 6, 8, 1, 7, 2, 3, 4, 5])
  const same = await orderOf(64, [{ by: 'a' }, { by: 'a' }, { by: 'a' }, { by: 'b' }, { by: 'b' }, { by: 'c' }])
  assert.deepEqual(same.order, [0, 3, 5, 1, 4, 2])
})

test('a full queue of one kind refuses only that kind, and there the caller with the most waiting tasks', async () => {
  const ups = Array.from({ length: 5 }, () => ({ kind: 'sign-up', by: 'flood' }))
  const { order, refused } = await orderOf(3, [...ups, { kind: 'sign-in' }, { kind: 'sign-up', by: 'other' }])
  assert.deepEqual(refused, [2, 3, 4])
  assert.deepEqual(order, [0, 5, 6, 1])
})

test('work that nobody waits for is not started, and takes no slot', async () => {
  const gone = AbortSignal.abort(new Error('gone'))
  const leaving = new AbortController()
  const turns = new FairQueue({ concurrency: 1, maxQueued: 1 })
  const held = Promise.withResolvers<void>()
  const first = turns.run(() => held.promise)
  const fail = () => assert.fail('nobody waits for this')
  await assert.rejects(turns.run(fail, { signal: gone }), /gone/)
  const waiting = turns.run(fail, { signal: leaving.signal })
  leaving.abort(new Error('left'))
  await assert.rejects(waiting, /left/)
  const patient = turns.run(async () => 'patient', { signal: new AbortController().signal })
  held.resolve()
  await first
  assert.equal(await patient, 'patient')
  const passwords = createPasswordHasher(cheap)
  await assert.rejects(passwords.hash('x', { signal: gone }), /gone/)
  await assert.rejects(passwords.verify(undefined, 'x', { signal: gone }), /gone/)
})

test('argon2 is loaded by the first hasher and not earlier: services that only check tokens need not install it', () => {
  const program = `
    import { createPasswordHasher } from 'tsmicro/auth'
    import { createRequire } from 'node:module'
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('argon2'))
    const before = loaded()
    createPasswordHasher()
    console.log(before, loaded())`
  const args = ['--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
  assert.equal(stdout.trim(), 'false true', stderr)
})
