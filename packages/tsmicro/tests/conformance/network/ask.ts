import { createInbox, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import type { Transport } from 'tsmicro/internal'
import { until } from '../../support/until.ts'

/** A request as any client sends it. Rejects when nobody answers. */
export async function request(to: Transport, subject: string, body: string | Uint8Array = '', headers?: MsgHdrs) {
  const [reply] = await collect(to, subject, 1, body, headers)
  if (!reply) throw new Error('no reply')
  return reply
}

/** The first `count` replies. Rejects when fewer come. */
export async function collect(
  to: Transport,
  subject: string,
  count: number,
  body: string | Uint8Array = '',
  headers?: MsgHdrs,
): Promise<Msg[]> {
  const reply = createInbox()
  const replies: Msg[] = []
  const subscription = to.subscribe(reply, { callback: (_error, msg) => void replies.push(msg) })
  try {
    to.publish(subject, body, { reply, ...(headers ? { headers } : {}) })
    await until(`${count} replies of ${subject}`, () => replies.length >= count)
  } finally {
    subscription.unsubscribe()
  }
  return replies.slice(0, count)
}
