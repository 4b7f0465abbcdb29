import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'
import { request } from './network/ask.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const back = contract('back', { hang: procedure({ nats: 'hang', access: 'internal' }) })
const middle = contract('middle', { pass: procedure({ nats: 'pass', access: 'internal' }) })
const front = contract('front', {
  hang: procedure({ http: 'GET /hang', access: 'key' }),
  // Enough for all to reach the last hop, even on a busy machine.
  late: procedure({ http: 'GET /late', access: 'key', timeoutMs: 1000 }),
})
const queue = contract('queue', {
  work: procedure({ nats: 'work', access: 'internal', input: Type.Object({ id: Type.String() }) }),
})

export async function cancel(open: OpenNetwork) {
  const network = await open()
  const fired = new Map<string, number>()
  /**
   * Hangs until its signal fires, and counts that. A failure of the next hop does not end it: budgets are rounded, so the last hop
   * may answer before the others' own time is over, and a call that has been answered is no longer aborted.
   */
  async function hang(where: string, signal: AbortSignal, work?: Promise<unknown>): Promise<void> {
    const over = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => {
        fired.set(where, (fired.get(where) ?? 0) + 1)
        resolve()
      })
    })
    await Promise.allSettled([over, work])
  }
  let atBack = 0
  const third = await serve({
    name: 'back',
    network,
    handlers: [
      implement(back, {
        hang: ({ signal }) => {
          atBack += 1
          return hang('back', signal)
        },
      }),
    ],
  })
  const second: TestService = await serve({
    name: 'middle',
    calls: [back],
    network,
    handlers: [implement(middle, { pass: ({ signal }) => hang('middle', signal, second.nats.client(back).hang()) })],
  })
  const pass = ({ signal }: { signal: AbortSignal }) =>
    hang('front', signal, first.nats.client(middle).pass({}, { timeoutMs: 60_000 }))
  const first: TestService = await serve({
    name: 'front',
    calls: [middle],
    network,
    handlers: [implement(front, { hang: pass, late: pass })],
  })
  after(() => Promise.all([first, second, third].map(({ service }) => service.stop())))
  const firedAll = (count: number) => ['front', 'middle', 'back'].every(where => fired.get(where) === count)
  const pending = () => [first, second].map(({ nats }) => nats.pendingRequests)

  test('three hops, the last one hangs: when the budget ends, every signal fires and the client gets 504', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${first.service.url}/late`)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([504]))
    await until('every hop is aborted', () => firedAll(20))
    assert.deepEqual(pending(), [0, 0])
  })

  test('a client that disconnects cancels all three hops, and nothing stays pending', async () => {
    fired.clear()
    atBack = 0
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(first.service.url)))
    for (const socket of sockets) socket.write('GET /hang HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('all hang', () => atBack === 20)
    assert.deepEqual(pending(), [20, 20])
    for (const socket of sockets) socket.destroy()
    await until('every hop is aborted', () => firedAll(20))
    await until('nothing is pending', () => pending().every(count => count === 0))
  })

  test('a queued call that is given up never starts', async () => {
    const begun: string[] = []
    const gate = Promise.withResolvers<void>()
    after(() => gate.resolve())
    const { service, log } = await serve({
      name: 'queue',
      network,
      limits: { maxConcurrent: 1, maxQueued: 10 },
      handlers: [
        implement(queue, {
          work: async ({ input }) => {
            begun.push(input.id)
            await gate.promise
          },
        }),
      ],
    })
    after(() => service.stop())
    const caller = await connected(network)
    const controller = new AbortController()
    const running = caller.client(queue).work({ id: 'running' })
    await until('it runs', () => begun.length === 1)
    const given = caller.client(queue).work({ id: 'given-up' }, { signal: controller.signal })
    const expired = caller.client(queue).work({ id: 'expired' }, { timeoutMs: 50 })
    const waiting = caller.client(queue).work({ id: 'waiting' })
    await assert.rejects(expired, { code: 'DEADLINE_EXCEEDED' })
    controller.abort(new Error('enough'))
    await assert.rejects(given, /enough/)
    // At the service both end a little later than here: the budget counts from arrival, and the cancellation takes its time.
    await until('the service has heard of both', async () => {
      const stats = JSON.parse((await request(caller.use(), '$SRV.STATS.queue')).string())
      return stats.endpoints[0].num_errors === 2
    })
    gate.resolve()
    await Promise.all([running, waiting])
    assert.deepEqual(begun, ['running', 'waiting'])
    assert.deepEqual(log.at('error'), [])
  })

  test('strangers cannot cancel calls: ids cannot be guessed, and junk does no harm', async () => {
    const raw = await network.raw()
    const caller = await connected(network)
    const before = atBack
    const controller = new AbortController()
    const call = caller.client(back).hang({}, { signal: controller.signal })
    call.catch(() => {})
    await until('it hangs', () => atBack > before)
    const count = fired.get('back')
    for (const junk of ['', '\n\n', ' ', 'x y z', '\0', '_INBOX.1 1', 'a'.repeat(100_000)]) {
      raw.publish('_TSMICRO.cancel.back', junk)
    }
    await raw.flush()
    await caller.request('$SRV.PING.back', {})
    assert.equal(fired.get('back'), count)
    controller.abort(new Error('enough'))
    await until('its own id does', () => fired.get('back') === Number(count) + 1)
    await raw.close()
  })
}
