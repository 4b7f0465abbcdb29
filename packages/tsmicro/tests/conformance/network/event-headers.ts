import { randomUUID } from 'node:crypto'
import { headers, type MsgHdrs } from '@nats-io/nats-core'

/** What a publisher without our code has to send with an event. */
export function eventHeaders(subject: string, aggregateId: string): MsgHdrs {
  const made = headers()
  const sent = {
    'ce-specversion': '1.0',
    'ce-id': randomUUID(),
    'ce-type': subject,
    'ce-source': 'foreign',
    'ce-time': new Date().toISOString(),
    'ce-aggregateid': aggregateId,
  }
  for (const [name, value] of Object.entries(sent)) made.set(name, value)
  return made
}
