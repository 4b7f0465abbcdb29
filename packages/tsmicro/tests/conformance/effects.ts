import assert from 'node:assert/strict'
import { test } from 'node:test'
import { on, StartError } from 'tsmicro'
import { event } from 'tsmicro/contract'
import Type from 'typebox'
import { JetStream } from '../../src/events/index.ts'
import { MemoryInbox } from '../events/memory-inbox.ts'
import { build } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const data = Type.Object({ id: Type.String() })
const created = event({ subject: 'item.created', aggregate: 'id', data })
const EFFECTS = ['postgres', 'mongodb', 'idempotent'] as const
type Effect = (typeof EFFECTS)[number]

/** Where a handler has its effect, from one deployment to the next. */
export async function effects(open: OpenNetwork) {
  for (const before of EFFECTS)
    for (const now of EFFECTS.filter(each => each !== before))
      test(`handlers whose effect was ${before} and is ${now}: the service does not start, and says why`, async () => {
        const network = await open()
        await network.streams('shop', [{ created }])
        const stock = (effect: Effect) =>
          build({
            ...{ name: 'stock', network, inboxes: [new MemoryInbox('postgres'), new MemoryInbox('mongodb')] },
            handlers: [on(created, { name: 'items', effect }, () => {})],
          }).service
        const bare = network.client('tests')
        await bare.connect()
        const first = stock(before)
        await first.start()
        const js = new JetStream(bare)
        await until(
          'its consumer is there',
          async () => (await js.consumer('EVENTS_item', 'stock_items')) !== undefined,
        )
        await bare.close()
        await first.stop()
        await assert.rejects(stock(now).start(), (error: Error) => {
          assert.ok(error instanceof StartError)
          assert.match(error.message, new RegExp(`"items" .* effect in ${before}, .* in ${now}.* another name`))
          return !error.message.includes('\n')
        })
        await using again = { service: stock(before), [Symbol.asyncDispose]: () => again.service.stop() }
        await again.service.start()
      })
}
