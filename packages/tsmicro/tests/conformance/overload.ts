import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { implement, OVERLOADED } from 'tsmicro'
import { ApiError, contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const slow = contract('slow', {
  work: procedure({ nats: 'work', access: 'internal', output: Type.Integer() }),
  other: procedure({ nats: 'other', access: 'internal', output: Type.Integer() }),
})
const LIMITS = { maxConcurrent: 20, maxQueued: 44 }
async function heapUsed(): Promise<number> {
  await turn()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

export async function overload(open: OpenNetwork) {
  const network = await open()
  let inside = 0
  let most = 0
  const { service, log } = await serve({
    name: 'slow',
    network,
    limits: LIMITS,
    handlers: [
      implement(slow, {
        work: async () => {
          inside += 1
          most = Math.max(most, inside)
          await sleep(1)
          inside -= 1
          return 1
        },
        other: () => 2,
      }),
    ],
  })
  after(() => service.stop())

  test('very many calls at twice the capacity: each ends with a result or OVERLOADED, memory stays bounded, capacity recovers', async () => {
    const caller = await connected(network)
    const outcomes = new Map<string, number>()
    let left = network.manyCalls
    const call = async () => {
      const outcome = await caller
        .client(slow)
        .work()
        .then(String, error => {
          if (error instanceof OVERLOADED) assert.equal(error.retryAfterSeconds, 1)
          return error instanceof ApiError ? error.code : String(error)
        })
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    const samples: number[] = []
    let done = 0
    await Promise.all(
      Array.from({ length: 2 * (LIMITS.maxConcurrent + LIMITS.maxQueued) }, async () => {
        while (left-- > 0) {
          await call()
          done += 1
          if (done % (network.manyCalls / 5) === 0) samples.push(await heapUsed())
        }
      }),
    )
    assert.deepEqual([...outcomes.keys()].sort(), ['1', 'OVERLOADED'])
    assert.equal(
      [...outcomes.values()].reduce((sum, count) => sum + count),
      network.manyCalls,
    )
    assert.equal(most, LIMITS.maxConcurrent)
    const [first = 0] = samples
    for (const sample of samples) assert.ok(sample < first + 16 * 1024 * 1024, samples.join(' '))
    assert.equal(caller.pendingRequests, 0)

    const all = LIMITS.maxConcurrent + LIMITS.maxQueued
    assert.deepEqual(
      await Promise.all(Array.from({ length: all }, () => caller.client(slow).work())),
      Array(all).fill(1),
    )
    const lines = log.at('warn').filter(({ message }) => message.startsWith('overloaded'))
    assert.ok(lines.length >= 1 && lines.length < 20, 'told of, but not for every call')
  })

  test('an overloaded endpoint does not delay others', async () => {
    const caller = await connected(network)
    const flood = Array.from({ length: 500 }, () =>
      caller
        .client(slow)
        .work()
        .catch(() => 0),
    )
    assert.equal(await caller.client(slow).other(), 2)
    await Promise.all(flood)
  })
}
