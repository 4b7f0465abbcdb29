import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINE_EXCEEDED, implement, SERVICE_UNAVAILABLE } from 'tsmicro'
import { ApiError, contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { expiringCount } from '../../src/call/index.ts'
import { ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  echo: procedure({ nats: 'echo', access: 'internal', input: Type.Any(), output: Type.Any() }),
  slow: procedure({ nats: 'slow', access: 'internal', timeoutMs: 2000 }),
})
const front = contract('front', {
  ask: procedure({ http: 'GET /ask', access: 'key', output: Type.Any() }),
  asUser: procedure({ http: 'GET /user', access: 'user' }),
})
const server = await ownNats()
let working = 0
const b = await serve({
  natsUrl: server.url,
  handlers: [
    implement(shop, {
      echo: ({ input }) => input,
      slow: async ({ signal }) => {
        working += 1
        await sleep(60_000, undefined, { signal, ref: false })
      },
    }),
  ],
})
const f = await serve({
  name: 'front',
  calls: [shop],
  natsUrl: server.url,
  // Like an authentication provider that asks another service.
  authentication: {
    authenticate: async () => {
      await f.nats.client(shop).echo(1)
      return { id: 'ann' }
    },
  },
  handlers: [implement(front, { ask: () => f.nats.client(shop).echo(5, { timeoutMs: 400 }), asUser: () => {} })],
})
after(() => Promise.all([f, b].map(({ service }) => service.stop())))

const get = async (path: string) => {
  const answer = await fetch(f.service.url + path, { headers: { authorization: 'Bearer x.y' } })
  return [answer.status, ((await answer.json()) as { error?: string }).error]
}
const works = async () =>
  (await f.nats
    .client(shop)
    .echo('x', { timeoutMs: 1000 })
    .catch(() => '')) === 'x'

test('killed: calls in flight and new ones fail at once with SERVICE_UNAVAILABLE, never 401; later calls work again by themselves', async () => {
  const inFlight = Array.from({ length: 20 }, () => f.nats.client(shop).slow())
  await until('all are being worked on', () => working === 20)
  const failed = Promise.all(inFlight.map(call => assert.rejects(call, SERVICE_UNAVAILABLE)))
  server.kill('SIGKILL')
  await failed
  await until('both have noticed', () => !f.nats.connected && !b.nats.connected)
  await assert.rejects(f.nats.client(shop).echo(1), SERVICE_UNAVAILABLE)
  assert.deepEqual(await get('/ask'), [503, 'SERVICE_UNAVAILABLE'])
  assert.deepEqual(await get('/user'), [503, 'SERVICE_UNAVAILABLE'])
  const ready = await fetch(`${f.service.url}/health/ready`)
  assert.equal(ready.status, 503)
  assert.equal((await fetch(`${f.service.url}/health`)).status, 200)

  await server.restart()
  await until('calls work again', works)
  await until('ready again', async () => (await fetch(`${f.service.url}/health/ready`)).status === 200)
  assert.deepEqual(await get('/user'), [200, undefined])
})

test('frozen: DEADLINE_EXCEEDED; thawed: works', async () => {
  server.kill('SIGSTOP')
  try {
    // The signal takes a moment to act: what was sent before may still be answered.
    await until('a call is not answered', async () => {
      const outcome = await f.nats
        .client(shop)
        .echo(1, { timeoutMs: 100 })
        .catch(error => error)
      return outcome instanceof DEADLINE_EXCEEDED
    })
    assert.deepEqual(await get('/ask'), [504, 'DEADLINE_EXCEEDED'])
    await assert.rejects(f.nats.check(), SERVICE_UNAVAILABLE)
  } finally {
    server.kill('SIGCONT')
  }
  await until('calls work again', works)
})

test('calls during kills and restarts always end, either answered or with 503 or 504', async () => {
  let running = true
  const outcomes = new Set<string>()
  const loops = Array.from({ length: 40 }, async () => {
    while (running) {
      const outcome = await f.nats
        .client(shop)
        .echo(1, { timeoutMs: 500 })
        .then(
          () => 'answered',
          error => (error instanceof ApiError ? error.code : String(error)),
        )
      outcomes.add(outcome)
      if (outcome !== 'answered') await sleep(2)
    }
  })
  for (let round = 0; round < 2; round++) {
    server.kill('SIGKILL')
    await until('noticed', () => !f.nats.connected)
    await server.restart()
    await until('works again', works)
  }
  running = false
  await Promise.all(loops)
  outcomes.delete('answered')
  outcomes.delete('DEADLINE_EXCEEDED')
  assert.deepEqual([...outcomes], ['SERVICE_UNAVAILABLE'])
  assert.equal(f.nats.pendingRequests, 0)
  await until('nothing is left to expire', () => expiringCount() === 0)
})

test('a client whose server is gone can be closed', async () => {
  server.kill('SIGKILL')
  await until('noticed', () => !b.nats.connected)
  await b.service.stop()
  await f.service.stop()
})
