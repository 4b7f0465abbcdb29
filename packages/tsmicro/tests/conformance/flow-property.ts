import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { receiveAll, type Window } from './network/foreign.ts'
import type { OpenNetwork } from './network/network.ts'

const Item = Type.Object({ n: Type.Integer(), text: Type.String() })
const { BROKEN } = defineErrors({
  BROKEN: { status: 418, message: 'Broken', data: Type.Object({ at: Type.Integer() }) },
})
const feed = contract('feed', {
  play: procedure({
    http: 'GET /play/:id',
    nats: 'play',
    access: 'open',
    input: Type.Object({ id: Type.String() }),
    output: stream(Item),
    errors: { BROKEN },
  }),
})

const RUNS = process.env.CI ? 300 : 30

interface Scenario {
  readonly texts: readonly string[]
  /** Items that are made in one turn of the event loop. */
  readonly burst: number
  readonly by: 'http' | 'nats' | 'foreign'
  readonly how: 'end' | 'fail' | 'leave' | 'abort' | 'kill'
  /** After how many items that happens. */
  readonly at: number
  readonly window: Window
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  texts: fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 150 }),
  burst: fc.constantFrom(1, 2, 10, 1000),
  by: fc.constantFrom('http', 'nats', 'foreign'),
  how: fc.constantFrom('end', 'fail', 'leave', 'abort', 'kill'),
  at: fc.nat({ max: 150 }),
  window: fc.record({ items: fc.integer({ min: 1, max: 100 }), bytes: fc.integer({ min: 1, max: 5000 }) }),
})

/** Whatever is sent and whoever leaves: a caller sees a prefix and then the declared end, and every handler ends. */
export async function flowProperty(open: OpenNetwork) {
  const network = await open()
  const played = new Map<string, Scenario>()
  const seen = { begun: 0, ended: 0 }
  const { service } = await serve({
    name: 'feed',
    network,
    handlers: [
      implement(feed, {
        play: async function* ({ input, errors }) {
          seen.begun += 1
          try {
            const { texts, burst, how, at } = played.get(input.id) ?? assert.fail()
            for (const [n, text] of texts.entries()) {
              if (how === 'fail' && n === at) throw new errors.BROKEN({ at })
              if (n % burst === 0) await turn()
              yield { n, text }
            }
          } finally {
            seen.ended += 1
          }
        },
      }),
    ],
  })
  const caller = await connected(network)
  after(() => service.stop())

  /** The items that a caller receives, and how it ends for them. */
  async function receive(id: string, { by, how, at, window }: Scenario): Promise<readonly [unknown[], string]> {
    const controller = new AbortController()
    const own = how === 'kill' ? network.client('tests') : undefined
    await own?.connect()
    const raw = by === 'foreign' ? await network.raw() : undefined
    const iterables = {
      http: () => createHttpClient(feed, { baseUrl: service.url }).play({ id }, { signal: controller.signal }),
      nats: () => (own ?? caller).client(feed).play({ id }, { signal: controller.signal }),
      foreign: () => receiveAll(raw ?? assert.fail(), 'feed.play', { id }, { ...window, leaseMs: 600 }),
    }
    const items: unknown[] = []
    try {
      if (at === 0 && how === 'leave') return [items, 'left']
      for await (const item of iterables[by]()) {
        items.push(item)
        if (items.length !== at) continue
        // Its service no longer hears from it.
        if (how === 'kill' && by === 'foreign') await raw?.close()
        if (how === 'leave' || (how === 'kill' && by === 'foreign')) return [items, 'left']
        if (how === 'abort' || (how === 'kill' && by === 'http')) controller.abort(new Error('aborted'))
        if (how === 'kill') await own?.close()
      }
      return [items, 'done']
    } catch (error) {
      if (error instanceof ApiError) return [items, `${error.status} ${error.code} ${JSON.stringify(error.data)}`]
      return [items, (error as Error).message]
    } finally {
      await own?.close()
      await raw?.close()
    }
  }

  test('a caller sees exactly a prefix, then the declared end, and every handler ends', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(scenarios, async scenario => {
        const { texts, how, at, by } = scenario
        const id = String(count++)
        played.set(id, scenario)
        const [items, ended] = await receive(id, scenario)
        assert.deepEqual(
          items,
          texts.slice(0, items.length).map((text, n) => ({ n, text })),
        )
        const happens = at < texts.length || (at === texts.length && how !== 'fail')
        if (how === 'end' || !happens) assert.deepEqual([items.length, ended], [texts.length, 'done'])
        else if (how === 'fail') {
          const told = by === 'foreign' ? '418: BROKEN' : `418 BROKEN {"at":${at}}`
          assert.deepEqual([items.length, ended], [at, told])
        } else if (at > 0) {
          // What has arrived before may still be read.
          assert.ok(items.length >= at)
          if (how === 'leave') assert.deepEqual([items.length, ended], [at, 'left'])
          else assert.match(ended, /^(left|done|aborted|503 SERVICE_UNAVAILABLE)/)
        }
        await until('the handler has ended', () => seen.begun === seen.ended)
      }),
      { numRuns: RUNS },
    )
  })
}
