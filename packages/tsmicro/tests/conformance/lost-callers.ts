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

/** A stopping service waits for the callers that it can answer, and for no others. */
export async function lostCallers(open: OpenNetwork) {
  const network = await open()
  const caller = await connected(network)
  const start = async () => {
    const seen = { begun: 0, reasons: [] as string[] }
    const gate = Promise.withResolvers<void>()
    const { service, log, nats } = await serve({
      network,
      limits: { maxConcurrent: 8 },
      // Longer than a test may take: a stop that waited for lost callers would not end.
      drainTimeoutMs: 30_000,
      handlers: [
        implement(shop, {
          hang: ({ signal }) => {
            seen.begun += 1
            signal.addEventListener('abort', () => seen.reasons.push(signal.reason.name))
            // Regardless of the signal.
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
  /** One alone, the others in batches; eight are being handled, the others wait for their turn. */
  const callAll = () =>
    Array.from({ length: 20 }, () => assert.rejects(caller.client(shop).hang(), SERVICE_UNAVAILABLE))
  const comesBack = async () => {
    await network.recover()
    await until('the caller is connected again', () => caller.connected)
  }

  test('stopped without a connection: calls that nobody waits for are cancelled, those in the queue as well', async () => {
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

  test('the same when the connection is lost while it stops', async () => {
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

  test('when the connection is back before it stops, waiting callers are answered', async () => {
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
