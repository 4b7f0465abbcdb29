import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, SERVICE_UNAVAILABLE } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { roundTrip, until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const shop = contract('shop', {
  hang: procedure({ nats: 'hang', access: 'internal', timeoutMs: 60_000 }),
  work: procedure({ nats: 'work', access: 'internal', timeoutMs: 60_000, output: Type.String() }),
})

/** A service that stops waits for those whom it can answer, and for nobody else. */
export async function lostCallers(open: OpenNetwork) {
  const network = await open()
  const caller = await connected(network)
  const start = async () => {
    const seen = { begun: 0, reasons: [] as string[] }
    const gate = Promise.withResolvers<void>()
    const { service, log, nats } = await serve({
      network,
      limits: { maxConcurrent: 8 },
      // More than a test may take: a stop that waits for the lost ones does not end.
      drainTimeoutMs: 30_000,
      handlers: [
        implement(shop, {
          hang: ({ signal }) => {
            seen.begun += 1
            signal.addEventListener('abort', () => seen.reasons.push(signal.reason.name))
            // Whatever the signal says.
            return new Promise<never>(() => {})
          },
          work: async () => {
            seen.begun += 1
            await gate.promise
            return 'done'
          },
        }),
      ],
    })
    after(() => service.stop())
    return { service, log, nats, seen, gate }
  }
  /** One alone, the others in batches; eight are worked on, the others wait for their turn. */
  const callAll = () =>
    Array.from({ length: 20 }, () => assert.rejects(caller.client(shop).hang(), SERVICE_UNAVAILABLE))
  const comesBack = async () => {
    await network.recover()
    await until('the caller is connected again', () => caller.connected)
  }

  test('stopped without a connection: what nobody waits for is cancelled, also what waits for its turn', async () => {
    const { service, log, nats, seen } = await start()
    const calls = callAll()
    await until('as many as may are worked on', () => seen.begun === 8)
    await network.fail()
    await until('noticed', () => !nats.connected)
    await Promise.all(calls)
    assert.deepEqual(seen.reasons, [], 'it may come back')
    await service.stop()
    assert.deepEqual(seen, { begun: 8, reasons: Array(8).fill('CallerGoneError') })
    assert.deepEqual([...log.at('error'), ...log.at('warn').filter(({ message }) => message.startsWith('gave up'))], [])
    await comesBack()
  })

  test('the connection is lost while it stops: the same', async () => {
    const { service, log, seen } = await start()
    const calls = callAll()
    await until('as many as may are worked on', () => seen.begun === 8)
    const stopped = service.stop()
    await until('it stops', async () => (await service.health()).status === 'draining')
    await network.fail()
    await Promise.all([stopped, ...calls])
    assert.deepEqual(seen, { begun: 8, reasons: Array(8).fill('CallerGoneError') })
    assert.deepEqual([...log.at('error'), ...log.at('warn').filter(({ message }) => message.startsWith('gave up'))], [])
    await comesBack()
  })

  test('the connection came back before it stops: whoever waits is answered', async () => {
    const { service, nats, seen, gate } = await start()
    await network.fail()
    await until('noticed', () => !nats.connected)
    await comesBack()
    await until('the service is, too', () => nats.connected)
    await roundTrip(nats)
    const calls = Array.from({ length: 5 }, () => caller.client(shop).work())
    await until('all are worked on', () => seen.begun === 5)
    const stopped = service.stop()
    gate.resolve()
    assert.deepEqual(await Promise.all(calls), Array(5).fill('done'))
    await stopped
  })
}
