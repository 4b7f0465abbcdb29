import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { createPostgres } from 'tsmicro/postgres'
import { testService } from 'tsmicro/testing'
import { deleteLapsed } from '../../src/postgres/idempotency-store.ts'
import { until } from '../support/until.ts'
import { type Make, moduleOf } from './shop.ts'
import { suite } from './suite.ts'

type Claim = Parameters<ReturnType<ReturnType<typeof createPostgres>['idempotencyStore']>['claim']>[0]

const server = await startPostgres({ ephemeral: true })
after(() => server.stop())
const connected = async () => {
  const postgres = createPostgres({ url: server.url })
  await postgres.connect()
  after(() => postgres.close())
  return postgres
}
const { db } = await connected()

// First: hooks of the whole file run as soon as no test is left, although more would follow what is awaited here.
await suite({
  open: async () => (await connected()).idempotencyStore(),
  dump: async () => JSON.stringify((await sql`SELECT * FROM idempotency_keys`.execute(db)).rows),
  env: { IDEMPOTENCY_POSTGRES: server.url },
})

test('instances that miss the table at the same time create it once', async () => {
  await sql`DROP TABLE IF EXISTS idempotency_keys`.execute(db)
  const stores = await Promise.all(Array.from({ length: 5 }, async () => (await connected()).idempotencyStore()))
  const claims = stores.map((_, n) => ({ id: `id${n}`, fingerprint: 'f', fence: randomUUID(), leaseMs: 1, keepMs: 1 }))
  const answers = await Promise.all(stores.map((store, n) => store.claim(claims[n] as (typeof claims)[0])))
  assert.deepEqual(answers, Array(5).fill(undefined))
})

test('what has lapsed is deleted, and nothing else', async () => {
  const store = (await connected()).idempotencyStore()
  const lasting = { id: 'lasting', fingerprint: 'f', fence: randomUUID(), leaseMs: 600_000, keepMs: 1 }
  await store.claim(lasting)
  await sql`
    INSERT INTO idempotency_keys (id, fingerprint, fence, expires_at)
    SELECT 'lapsed' || n, 'f', 'f', now() FROM generate_series(1, 20001) n`.execute(db)
  assert.equal(await deleteLapsed(db), true)
  const { rows } = await sql<{ id: string }>`SELECT id FROM idempotency_keys`.execute(db)
  assert.deepEqual(rows, [{ id: 'lasting' }])
  await store.release(lasting)
  assert.equal(await deleteLapsed(db), false)
})

test('an answer that is kept stays when work in the background confirms later', async () => {
  const postgres = await connected()
  const store = postgres.idempotencyStore()
  const claim = { id: 'late', fingerprint: 'f', fence: randomUUID(), leaseMs: 600_000, keepMs: 600_000 }
  await store.claim(claim)
  await store.handle?.(claim, async () => {
    await store.complete(claim, '"kept"')
    await postgres.transaction(transaction => store.confirm(transaction))
  })
  assert.deepEqual(await store.claim({ ...claim, fence: randomUUID() }), { fingerprint: 'f', answer: '"kept"' })
})

test('a confirmed effect happens once: a call that was overtaken is rolled back, one that died is not repeated', async () => {
  await sql`CREATE TABLE orders (item text NOT NULL)`.execute(db)
  const postgres = await connected()
  const store = postgres.idempotencyStore()
  const gate = Promise.withResolvers<void>()
  let calls = 0
  const order = async ({ input: { item, how } }: Parameters<Make>[0]) => {
    const first = ++calls === 1
    await postgres.transaction(async transaction => {
      await sql`INSERT INTO orders VALUES (${item})`.execute(transaction)
      if (first && how === 'is overtaken') await gate.promise
      await store.confirm(transaction)
    })
    if (how === 'fails afterwards') throw new Error('broken')
    return { number: calls, item }
  }
  // As if the call had taken too long for its claim.
  const lapsing = { ...store, claim: (claim: Claim) => store.claim({ ...claim, leaseMs: 1 }) }
  await using app = await testService(({ nats }) => ({ ...moduleOf(lapsing, order), nats }))
  const send = (item: string, how: string, key?: string) =>
    app.as({ id: 'ann' }).fetch('/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key ? { 'idempotency-key': key } : {}) },
      body: JSON.stringify({ item, how }),
    })
  const made = async (item: string) => (await sql`SELECT 1 FROM orders WHERE item = ${item}`.execute(db)).rows.length

  const first = send('a', 'is overtaken', 'a')
  await until('the first has begun', () => calls === 1)
  await until('its claim has lapsed', async () => (await send('a', 'is overtaken', 'a')).status === 201)
  gate.resolve()
  assert.equal((await first).status, 503)
  assert.equal(await made('a'), 1)

  assert.equal((await send('b', 'fails afterwards', 'b')).status, 500)
  const again = await send('b', 'fails afterwards', 'b')
  assert.match(await again.text(), /has been handled, but its answer was not kept/)
  assert.deepEqual([again.status, await made('b')], [409, 1])

  await send('c', 'has no key')
  await send('c', 'has no key')
  assert.equal(await made('c'), 2)
})
