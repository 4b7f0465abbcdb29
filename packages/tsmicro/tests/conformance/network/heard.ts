import { after } from 'node:test'
import type { Msg } from '@nats-io/nats-core'
import type { Transport } from 'tsmicro/internal'

/** Messages published on a subject from now until the test ends. */
export async function heardOn(raw: Transport, subject: string): Promise<Msg[]> {
  const heard: Msg[] = []
  const subscription = raw.subscribe(subject, { callback: (_error, msg) => void heard.push(msg) })
  after(() => subscription.unsubscribe())
  await raw.flush()
  return heard
}
