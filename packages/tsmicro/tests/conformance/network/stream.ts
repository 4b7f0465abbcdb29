import assert from 'node:assert/strict'
import { headers } from '@nats-io/nats-core'
import { JetStream } from 'tsmicro/internal'
import type { ConsumerConfig, JetStreamMessage, PullOptions } from '../../../src/events/index.ts'
import { connected } from './connected.ts'
import type { OpenNetwork } from './network.ts'

export const STREAM = 'EVENTS_item'
export const stream = { name: STREAM, subjects: ['item.made', 'item.moved'], storage: 'file' } as const
export const consumer: ConsumerConfig = {
  durable_name: 'stock_items',
  ack_policy: 'explicit',
  filter_subject: 'item.>',
  deliver_policy: 'all',
  ack_wait: 60e9,
  max_deliver: -1,
}
export const pinned = { priority_groups: ['one'], priority_policy: 'pinned_client', priority_timeout: 60e9 } as const

export function withId(id?: string) {
  const made = headers()
  if (id) made.set('Nats-Msg-Id', id)
  return made
}

/** A network with a stream and a consumer. */
export async function openStream(open: OpenNetwork, config: Partial<ConsumerConfig> = {}) {
  const network = await open()
  const nats = await connected(network)
  const js = new JetStream(nats)
  await js.createStream(stream)
  await js.createConsumer(STREAM, { ...consumer, ...config })
  let published = 0
  return {
    network,
    nats,
    js,
    async publish(count: number) {
      for (let n = 0; n < count; n++) await js.publish('item.made', String(++published), withId(String(published)))
    },
    pull(take: (message: JetStreamMessage) => void, options: Partial<PullOptions> = {}) {
      return js.pull(STREAM, 'stock_items', { batch: 100, expiresMs: 60_000, take, ...options })
    },
    /** The texts of what is delivered at once. */
    async taken(count: number, take: (message: JetStreamMessage) => void = message => message.ack()) {
      const texts: string[] = []
      const both = (message: JetStreamMessage) => {
        texts.push(message.string())
        take(message)
      }
      const { end } = await js.pull(STREAM, 'stock_items', { batch: count, expiresMs: 60_000, take: both })
      assert.equal(end, 'done')
      return texts
    },
    async state() {
      const info = await js.consumer(STREAM, 'stock_items')
      return [info?.num_pending, info?.num_ack_pending]
    },
  }
}
