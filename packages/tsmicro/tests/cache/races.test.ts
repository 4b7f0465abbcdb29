import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Cache } from 'tsmicro/cache'
import { random } from './support/random.ts'
import { openReplica, redisUsed, type Servers, sharing, startServers, withoutRedis } from './support/servers.ts'
import { type Row, Watched } from './support/watch.ts'

/** All of it takes too long for a run by hand. */
const READS = process.env.CI ? 10_000 : 1000

let servers: Servers
before(async () => {
  servers = await startServers({ redis: true })
})
after(() => servers?.[Symbol.asyncDispose]())

const ways: readonly ((cache: Cache<Row>) => Promise<void>)[] = [
  cache => cache.delete('k'),
  cache => cache.deleteMany(['x', 'k']),
  cache => cache.deleteByTag('t'),
  cache => cache.deleteByTags(['s', 't']),
  cache => cache.clear(),
]

for (const redis of [false, true]) {
  const title = `two replicas${redis ? ' with Redis' : ''}: in ${READS} reads no read is older than a change answered before it began`
  test(title, { skip: redis && withoutRedis }, async () => {
    const options = { group: `races-${redis}`, ...(redis ? { redis: servers.redis?.url } : {}) }
    // Almost no memory, so that most hits come from Redis.
    await using a = await openReplica(servers, redis ? { ...options, maxItems: 2 } : options)
    await using b = await openReplica(servers, options)
    await sharing(a, b)
    if (redis) await redisUsed(a, b)
    const caches = [a, b].map(({ store }) => store.cache<Row>('rows'))
    const others = [a, b].map(({ store }) => store.cache<number>('others'))
    const pick = random(redis ? 7 : 3)
    const of = <T>(list: readonly T[]): T => list[pick(list.length)] as T
    const delay = async () => {
      const what = pick(8)
      if (what < 4) await setImmediate()
      else if (what < 7) await sleep(pick(4))
    }
    const watched = new Watched()
    let busy = true
    const reader = async () => {
      while (busy) {
        if (pick(6) === 0) await watched.look(of(caches))
        else await watched.read(of(caches), delay)
        if (pick(100) === 0) await of(others).set(`${pick(3)}`, 1)
        await delay()
      }
    }
    const writer = async () => {
      while (watched.reads < READS || watched.changes < READS / 34) {
        const cache = of(caches)
        assert.ok(await watched.change(() => of(ways)(cache)))
        await sleep(pick(12))
      }
    }
    const readers = Array.from({ length: 24 }, reader)
    await Promise.all([writer(), writer()]).finally(() => {
      busy = false
    })
    await Promise.all(readers)
    assert.ok(watched.hits > READS / 20, `${watched.hits} of ${watched.reads} reads were hits`)
  })
}
