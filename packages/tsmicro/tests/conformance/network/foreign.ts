import { createInbox, headers, type Msg } from '@nats-io/nats-core'
import type { Transport } from 'tsmicro/internal'
import { request } from './ask.ts'

export interface Window {
  /** Items, bytes and milliseconds that one pull grants. */
  readonly items?: number
  readonly bytes?: number
  readonly leaseMs?: number
}

/** A failure as a client without our error classes sees it. */
export class Refused extends Error {}

/**
 * Receives a stream or a file with nothing but a NATS connection: what a client in another language has to do, see docs/messaging.md. Grants
 * one window after the other. Yields the items, or the chunks as bytes; returns `done` or `again`.
 */
export async function* receiveAll(
  nats: Transport,
  subject: string,
  input: unknown,
  { items = 16, bytes = 65_536, leaseMs = 15_000 }: Window = {},
): AsyncGenerator<unknown, string> {
  const opens = headers()
  opens.set('Tsmicro-Pulls', '1')
  const opened = await request(nats, subject, JSON.stringify({ data: input }), opens)
  assertAnswer(opened)
  const {
    stream,
    pull,
    headers: described,
  } = opened.json<{
    data: { stream: string; pull: string; headers?: object }
  }>().data
  const inbox = createInbox()
  const arrived: Msg[] = []
  let wake = () => {}
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (_error, msg) => {
      arrived.push(msg)
      wake()
    },
  })
  const read = { items: 0, bytes: 0 }
  let pulls = 0
  const ask = () => {
    const granted = { items: read.items + items, bytes: read.bytes + bytes }
    nats.publish(pull, JSON.stringify({ stream, ...granted, leaseMs }), { reply: `${inbox}.${pulls++}` })
  }
  // Both ends learn from this that the other is there.
  const beat = setInterval(ask, leaseMs / 3)
  let ended: string | undefined
  try {
    ask()
    let granted = { ...read }
    for (;;) {
      const msg = arrived.shift()
      if (!msg) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
        continue
      }
      const told = msg.headers
      if (told?.code === 503) throw new Refused('503: nobody is there')
      if (told?.has('Nats-Service-Error-Code')) ended = 'failure'
      assertAnswer(msg)
      const sequence = Number(told?.get('Tsmicro-Sequence'))
      if (sequence !== read.items) throw new Error(`item ${read.items} is missing: ${sequence} came`)
      const end = told?.get('Tsmicro-End')
      if (end) {
        ended = end
        return end
      }
      const values: unknown[] = msg.data.length === 0 ? [] : described ? [msg.data] : msg.json()
      read.items += values.length
      read.bytes += msg.data.length
      yield* values
      // Not after every message: at most 64 answer a pull, so half a window is soon enough.
      const used = { items: read.items - granted.items, bytes: read.bytes - granted.bytes }
      if (used.items < items / 2 && used.bytes < bytes / 2) continue
      granted = { ...read }
      ask()
    }
  } finally {
    clearInterval(beat)
    if (!nats.isClosed()) subscription.unsubscribe()
    if (!ended && !nats.isClosed()) nats.publish(`_TSMICRO.cancel.${subject.split('.', 1)[0]}`, stream)
  }
}

function assertAnswer(msg: Msg): void {
  if (msg.headers?.has('Nats-Service-Error-Code'))
    throw new Refused(`${msg.headers.get('Nats-Service-Error-Code')}: ${msg.headers.get('Tsmicro-Error')}`)
}
