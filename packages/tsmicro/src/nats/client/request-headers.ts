import { headers, type MsgHdrs } from '@nats-io/nats-core'
import type { CallContext } from '../../call/index.ts'
import { AUTHORIZATION, BUDGET, REQUEST_ID, TRACEPARENT } from '../wire/headers.ts'

/** What a call takes on from the call it is made for; names in lower case. */
export type Forwarded = Readonly<Record<string, string>>

export function forwardedOf(context: CallContext, asUser: boolean): Forwarded {
  const { requestId, traceparent } = context
  const token = asUser ? context.token : undefined
  const made: Record<string, string> = { [REQUEST_ID]: requestId }
  if (traceparent) made[TRACEPARENT] = traceparent
  // Only where the procedure asks who the user is: a token goes no further than it must.
  if (token) made[AUTHORIZATION] = `Bearer ${token}`
  return made
}

/** The headers of a call that travels alone. */
export function encodeHeaders(budgetMs: number, forwarded: Forwarded | undefined): MsgHdrs {
  const made = headers()
  made.set(BUDGET, String(Math.floor(budgetMs)))
  if (forwarded) for (const [name, value] of Object.entries(forwarded)) made.set(name, value)
  return made
}
