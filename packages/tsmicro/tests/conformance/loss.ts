import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPublisher, implement, on, SERVICE_UNAVAILABLE } from 'tsmicro'
import { ApiError, contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const changed = event({ subject: 'thing.changed', aggregate: 'id', data: Type.Object({ id: Type.String() }) })
const shop = contract('shop', {
  echo: procedure({ nats: 'echo', access: 'internal', input: Type.Any(), output: Type.Any() }),
  slow: procedure({ nats: 'slow', access: 'internal', timeoutMs: 2000 }),
})

/** What losing the connection means to those who use it. */
export async function loss(open: OpenNetwork) {
  const network = await open()
  let working = 0
  const taken: string[] = []
  const { service, nats } = await serve({
    network,
    handlers: [
      implement(shop, {
        echo: ({ input }) => input,
        slow: async ({ signal }) => {
          working += 1
          await sleep(60_000, undefined, { signal, ref: false })
        },
      }),
      on(changed, { name: 'events', effect: 'idempotent' }, ({ data }) => void taken.push(data.id)),
    ],
  })
  const caller = network.client('caller')
  await caller.connect()
  after(async () => {
    await caller.close()
    await service.stop()
  })
  const works = async () =>
    (await caller
      .client(shop)
      .echo('x', { timeoutMs: 1000 })
      .catch(() => '')) === 'x'
  const ready = async () => (await service.inject({ method: 'GET', url: '/health/ready' })).statusCode

  test('calls in flight and new ones fail with SERVICE_UNAVAILABLE, nothing is announced; later everything works again', async () => {
    await network.streams('test', [{ changed }])
    const publisher = createPublisher(caller, 'test')
    const inFlight = Array.from({ length: 20 }, () => caller.client(shop).slow())
    await until('all are worked on', () => working === 20)
    const failed = Promise.all(inFlight.map(call => assert.rejects(call, SERVICE_UNAVAILABLE)))
    await network.fail()
    await failed
    await until('both have noticed', () => !caller.connected && !nats.connected)
    assert.equal(caller.pendingRequests, 0)
    await assert.rejects(caller.client(shop).echo(1), SERVICE_UNAVAILABLE)
    await assert.rejects(publisher.publish(changed, { id: 'lost' }), SERVICE_UNAVAILABLE)
    await assert.rejects(caller.check(), SERVICE_UNAVAILABLE)
    await assert.rejects(network.client('late').connect(), SERVICE_UNAVAILABLE)
    assert.equal(await ready(), 503)

    await network.recover()
    await until('calls work again', works)
    await until('ready again', async () => (await ready()) === 200)
    await publisher.publish(changed, { id: 'found' })
    await until('it is taken', () => taken.length > 0)
    assert.deepEqual(taken, ['found'])
  })

  test('calls while the connection comes and goes always end, either answered or with 503 or 504', async () => {
    let running = true
    const outcomes = new Set<string>()
    const loops = Array.from({ length: 8 }, async () => {
      while (running) {
        const outcome = await caller
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
      await network.fail()
      await until('noticed', () => !caller.connected)
      await network.recover()
      await until('works again', works)
    }
    running = false
    await Promise.all(loops)
    outcomes.delete('answered')
    outcomes.delete('DEADLINE_EXCEEDED')
    assert.deepEqual([...outcomes], ['SERVICE_UNAVAILABLE'])
    assert.equal(caller.pendingRequests, 0)
  })

  test('a client whose connection is lost can be closed', async () => {
    await network.fail()
    await until('noticed', () => !nats.connected)
    await service.stop()
    await caller.close()
    assert.equal(nats.connected, false)
  })
}
