import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClient } from '@redis/client'
import { type Server, startRedis } from '@tsmicro/infra'
import type { Cache } from 'tsmicro/cache'
import { RecordedLog } from '../support/log.ts'
import { until } from '../support/until.ts'
import { startLoad } from './support/load.ts'
import { openReplica, redisUsed, type Servers, sharing, startServers, withoutRedis } from './support/servers.ts'
import type { Row } from './support/watch.ts'

const skip = withoutRedis
let servers: Servers
let redis: Server
let folder: string
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-redis-'))
  servers = await startServers()
  // Only explicit snapshots, so that a test decides how old the state after a kill is.
  redis = await startRedis({ ephemeral: true, extraArgs: ['--dir', folder, '--appendonly', 'no'] })
})
after(async () => {
  await redis?.stop()
  await servers?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const pair = async (group: string, log?: RecordedLog) => {
  const options = { group, redis: redis.url, ...(log ? { log } : {}) }
  const [a, b] = [await openReplica(servers, options), await openReplica(servers, options)]
  await sharing(a, b)
  await redisUsed(a, b)
  return [a, b] as const
}

const never = async () => assert.fail('fetched, though Redis has it')

async function command(...args: string[]): Promise<unknown> {
  const client = createClient({ url: redis.url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(args)
  } finally {
    client.destroy()
  }
}

/** Puts a value into Redis through one replica, so that another one finds it there. */
async function stored(cache: Cache<Row>, version: number): Promise<void> {
  await cache.getOrSet('k', () => ({ version }), { tags: ['t'] })
}

test('what one replica fetched, the others find in Redis; a change ends it there, too', { skip }, async () => {
  const [a, b] = await pair('warm')
  await using _a = a
  await using _b = b
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows')) as [Cache<Row>, Cache<Row>]
  await stored(one, 1)
  await until('the other finds it', async () => (await other.get('k'))?.version === 1)
  assert.deepEqual(await other.getOrSet('k', never), { version: 1 })
  for (const end of [() => one.deleteByTag('t'), () => other.delete('k'), () => one.clear()]) {
    await end()
    for (const cache of [one, other]) assert.equal(await cache.get('k'), undefined)
    await stored(one, 2)
    await until('the other finds it', async () => (await other.get('k'))?.version === 2)
  }
})

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`Redis ${signal}: no error, nothing stale, changes go on; used again by itself`, { skip }, async () => {
    const [a, b] = await pair(signal)
    await using _a = a
    await using _b = b
    const caches = [a, b].map(({ store }) => store.cache<Row>('rows'))
    await using load = startLoad(caches)
    await load.changes(10)
    redis.kill(signal)
    try {
      await load.changes(10)
      await load.reads(100)
      await load.hits(20)
    } finally {
      if (signal === 'SIGKILL') await redis.restart()
      else redis.kill('SIGCONT')
    }
    await redisUsed(a, b)
    await load.changes(10)
    await load.hits(20)
    assert.equal(load.watched.refused, 0)
  })
}

test('Redis restarted from a snapshot older than a change: the restored values are not used', { skip }, async () => {
  const log = new RecordedLog()
  const [a, b] = await pair('snapshot', log)
  await using _a = a
  await using _b = b
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows')) as [Cache<Row>, Cache<Row>]
  await stored(one, 1)
  await until('the other finds it', async () => (await other.get('k'))?.version === 1)
  await command('SAVE')
  const size = await command('DBSIZE')
  await one.deleteByTag('t')
  const used = () => log.lines.filter(({ message }) => message === 'Redis is used by the cache').length
  const before = used()
  redis.kill('SIGKILL')
  await redis.restart()
  assert.equal(await command('DBSIZE'), size, 'the snapshot did come back')
  // Nothing is invalidated from here on, as that would reach the server in its present state.
  await until('both use Redis again', () => used() === before + 2)
  for (let look = 0; look < 20; look++) {
    for (const cache of [one, other]) assert.equal(await cache.get('k'), undefined)
  }
  assert.deepEqual(await other.getOrSet('k', () => ({ version: 2 })), { version: 2 })
  await redisUsed(a, b)
  for (const cache of [one, other]) assert.notEqual((await cache.get('k'))?.version, 1)
})

test('if the log of a generation is lost, by eviction or by hand, so are all its values', { skip }, async () => {
  const [a, b] = await pair('eviction')
  await using _a = a
  await using _b = b
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows')) as [Cache<Row>, Cache<Row>]
  await one.set('k', { version: 1 })
  const logs = (await command('KEYS', 'test:{*}:log')) as string[]
  await one.deleteByTag('nothing')
  await command('DEL', ...logs)
  assert.equal(await other.get('k'), undefined)
  assert.equal(await one.get('k'), undefined)
  await one.set('k', { version: 2 })
  assert.deepEqual(await other.get('k'), { version: 2 })
})

test('a log with too many tags starts over, and no old value returns', { skip }, async () => {
  const [a, b] = await pair('long')
  await using _a = a
  await using _b = b
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows')) as [Cache<Row>, Cache<Row>]
  await one.set('k', { version: 1 })
  await one.delete('k')
  await one.set('l', { version: 1 })
  for (let n = 0; n < 26; n++) await one.deleteMany(Array.from({ length: 400 }, (_, index) => `${n}-${index}`))
  for (const cache of [one, other]) {
    assert.equal(await cache.get('k'), undefined)
    assert.equal(await cache.get('l'), undefined)
  }
  const [log = ''] = (await command('KEYS', 'test:{*}:log')) as string[]
  assert.ok(Number(await command('HLEN', log)) < 10_100)
})

test('a replica without Redis invalidates what others have there', { skip }, async () => {
  await using a = await openReplica(servers, { group: 'mixed', redis: redis.url })
  await using b = await openReplica(servers, { group: 'mixed' })
  await sharing(a, b)
  await redisUsed(a)
  const [one, other] = [a, b].map(({ store }) => store.cache<Row>('rows')) as [Cache<Row>, Cache<Row>]
  await one.set('k', { version: 1 })
  assert.deepEqual(await one.get('k'), { version: 1 })
  await other.deleteMany(['k'])
  assert.equal(await one.get('k'), undefined)
})

test('a Redis that refuses the password is reported immediately, with advice, and the cache goes on without it', {
  skip,
}, async () => {
  const [wrong, none] = [new URL(redis.url), new URL(redis.url)]
  wrong.password = 'wrong'
  none.username = ''
  none.password = ''
  for (const url of [wrong, none]) {
    const log = new RecordedLog()
    await using replica = await openReplica(servers, { redis: url.href, log })
    await until('it is told', () => log.at('warn').length > 0)
    const [line] = log.at('warn')
    assert.match(
      line?.message ?? '',
      /^Redis cannot be used, the cache goes on without it: Redis: (WRONGPASS|NOAUTH) .*: check user and password in its URL$/,
    )
    const cache = replica.store.cache<Row>('rows')
    assert.deepEqual(await cache.getOrSet('k', () => ({ version: 1 })), { version: 1 })
  }
})
