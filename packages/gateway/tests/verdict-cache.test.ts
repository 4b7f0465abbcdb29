import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '@tsmicro/kong-plugins/apikey-auth'
import { VerdictCache } from '../src/plugins/apikey-auth/verification.ts'

function verdictOf(kind: Verdict['kind']): Verdict {
  return kind === 'valid' ? { kind, consumer: { id: 'c', permissions: [] } } : { kind }
}

function setUp(maxEntries = 3) {
  const clock = { now: 0 }
  const asked: string[] = []
  const cache = new VerdictCache({ times: { good: 0.1, bad: 0.01 }, maxEntries, now: () => clock.now })
  const get = (id: string, kind: Verdict['kind'] = 'valid') =>
    Promise.resolve(
      cache.get(id, async () => {
        asked.push(id)
        return verdictOf(kind)
      }),
    )
  return { clock, asked, cache, get }
}

test('a yes and a no expire, each after its own time to live', async () => {
  const { clock, asked, get } = setUp()
  await get('yes')
  await get('no', 'invalid')
  clock.now = 9
  await get('yes')
  await get('no', 'invalid')
  assert.deepEqual(asked, ['yes', 'no'])
  clock.now = 10
  await get('no', 'invalid')
  clock.now = 99
  await get('yes')
  assert.deepEqual(asked, ['yes', 'no', 'no'])
  clock.now = 100
  await get('yes')
  assert.deepEqual(asked, ['yes', 'no', 'no', 'yes'])
})

test('using a verdict does not extend its life', async () => {
  const { clock, asked, get } = setUp()
  for (clock.now = 0; clock.now <= 100; clock.now += 20) await get('yes')
  assert.deepEqual(asked, ['yes', 'yes'])
})

test('when full, it drops the least recently used verdict', async () => {
  const { asked, get } = setUp()
  for (const id of ['a', 'b', 'c', 'a', 'd']) await get(id)
  asked.length = 0
  for (const id of ['a', 'c', 'd', 'b']) await get(id)
  assert.deepEqual(asked, ['b'])
})

test('a look-up that throws fails for all requests that wait for it, and is forgotten', async () => {
  const { cache, get } = setUp()
  const failing = () => Promise.reject(new Error('down'))
  const both = [cache.get('a', failing), cache.get('a', failing)]
  for (const one of both) await assert.rejects(Promise.resolve(one), /down/)
  assert.equal((await get('a')).kind, 'valid')
})

test('unknown is never remembered', async () => {
  const { asked, get } = setUp()
  assert.equal((await get('a', 'unknown')).kind, 'unknown')
  assert.equal((await get('a')).kind, 'valid')
  assert.deepEqual(asked, ['a', 'a'])
})
