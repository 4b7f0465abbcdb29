import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNatsBroadcast } from 'tsmicro'
import { roundTrip, until } from '../support/until.ts'
import { openReplica, type Replica, type Servers, SUBJECT, sharing, startServers } from './support/servers.ts'

// Longer than a busy machine can delay a renewal: an ended lease empties the memory layer.
const LEASE_MS = 60_000
let servers: Servers
let one: Replica
let other: Replica
before(async () => {
  servers = await startServers()
  one = await openReplica(servers, { group: 'hostile', leaseMs: LEASE_MS })
  other = await openReplica(servers, { group: 'hostile', leaseMs: LEASE_MS })
  await sharing(one, other)
})
after(async () => {
  await one?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
  await servers?.[Symbol.asyncDispose]()
})

const forget = { v: 1, type: 'forget', round: 'r', from: 'f', generation: 1, marks: [['rows', ['kx']]] }

const nonsense = [
  '',
  'null',
  '[]',
  '7',
  '{',
  '{"v":1}',
  '\u0000',
  '[['.repeat(50_000),
  'x'.repeat(900_000),
  JSON.stringify({ ...forget, v: 2 }),
  ...['marks', 'from', 'round', 'generation'].flatMap(name =>
    [undefined, null, 7, '', 'a.b', '>', {}, [[]], [['rows']], [[7, []]], [['rows', [7]]], [['rows', ['z']]]].map(
      value => JSON.stringify({ ...forget, [name]: value }),
    ),
  ),
  JSON.stringify({ ...forget, marks: [['__proto__', ['*']]] }),
  JSON.stringify({ ...forget, marks: [['rows', Array(10_001).fill('kx')]] }),
  // A generation that never exists: a replica that used it would miss all invalidations.
  JSON.stringify({ ...forget, generation: Number.MAX_SAFE_INTEGER, marks: [['rows', ['kk']]] }),
  JSON.stringify({ v: 1, type: 'done', round: 'r', member: 'nobody' }),
  JSON.stringify({ v: 1, type: 'done', round: { $ne: 1 }, member: [] }),
  JSON.stringify({ v: 1, type: 'echo', nonce: 'guess' }),
]

test('anything on the bus that is not one of our messages changes nothing', async () => {
  const rows = [one, other].map(({ store }) => store.cache<number>('rows'))
  for (const [index, cache] of rows.entries()) await cache.getOrSet('k', () => index)
  const bus = createNatsBroadcast(one.nats, `${SUBJECT}.hostile`)
  for (const text of nonsense) bus.send(text)
  await roundTrip(one.nats)
  const [first, second] = rows
  assert.ok(first && second)
  assert.equal(await first.get('k'), 0)
  assert.equal(await second.get('k'), 1)
  await first.delete('k')
  assert.equal(await second.get('k'), undefined)
  await until('both share', () => one.store.sharing && other.store.sharing)
})

test('a member that never answers is expelled, and removed from the list', async () => {
  await one.registry.join('mute', 500, [])
  let renewing = true
  const alive = (async () => {
    while (renewing && (await one.registry.renew('mute'))) await new Promise(resolve => setTimeout(resolve, 100))
  })()
  await one.store.cache<number>('mute').delete('k')
  renewing = false
  await alive
  assert.equal(await one.registry.renew('mute'), undefined)
  await until('it is gone', async () => !(await one.registry.read()).members.has('mute'))
})
