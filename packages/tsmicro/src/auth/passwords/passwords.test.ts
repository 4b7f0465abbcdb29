import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OVERLOADED } from '../../errors/index.ts'
import { createPasswordHasher } from './index.ts'
import { Limiter } from './limiter.ts'

const cheap = { memoryCostKiB: 64, timeCost: 1 }

test('hashes with argon2id and verifies', async () => {
  const passwords = createPasswordHasher(cheap)
  const stored = await passwords.hash('correct horse')
  assert.match(stored, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
  assert.equal(await passwords.verify(stored, 'correct horse'), true)
  assert.equal(await passwords.verify(stored, 'correct horsf'), false)
  assert.notEqual(await passwords.hash('correct horse'), stored)
})

test('the defaults are the figures of OWASP', async () => {
  assert.match(await createPasswordHasher().hash('x'), /\$m=19456,t=2,p=1\$/)
})

test('an unknown account is a plain no, whatever the password', async () => {
  const passwords = createPasswordHasher(cheap)
  for (const password of ['', 'x', 'changeit']) assert.equal(await passwords.verify(undefined, password), false)
})

test('the same password in other code points is the same password', async () => {
  const passwords = createPasswordHasher(cheap)
  const stored = await passwords.hash('caf\u00e9 123')
  assert.equal(await passwords.verify(stored, 'cafe\u0301 \uff11\uff12\uff13'), true)
})

test('a stored text that is no hash is a fault, not a wrong password', async () => {
  await assert.rejects(createPasswordHasher(cheap).verify('plain', 'plain'))
})

test('says when a hash is of another strength', async () => {
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

test('the limiter never runs more than it may, keeps order, and survives failures', async () => {
  const limiter = new Limiter({ concurrency: 3, maxQueued: 1000 })
  let active = 0
  let most = 0
  const order: number[] = []
  const tasks = Array.from({ length: 200 }, (_, index) =>
    limiter.run(async () => {
      order.push(index)
      most = Math.max(most, ++active)
      for (let turns = index % 5; turns > 0; turns--) await Promise.resolve()
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
