import type { Msg } from '@nats-io/nats-core'
import { bearerOf, type CallContext, Deadline, type Log, requestIdOf, traceparentOf } from '../../call/index.ts'
import { AUTHORIZATION, BUDGET, REQUEST_ID, TRACEPARENT } from '../headers.ts'

/** The context of a message: the caller's request id, trace, token and what is left of its budget. */
export function contextOfMessage(msg: Msg, timeoutMs: number, log: Log): CallContext {
  const headers = headersOf(msg)
  const requestId = requestIdOf(headers[REQUEST_ID])
  const budget = Number(headers[BUDGET.toLowerCase()])
  return {
    door: 'nats',
    requestId,
    traceparent: traceparentOf(headers[TRACEPARENT]),
    headers,
    deadline: new Deadline(budget > 0 ? Math.min(budget, timeoutMs) : timeoutMs),
    log: log.child({ requestId }),
    token: bearerOf(headers[AUTHORIZATION]),
    user: undefined,
  }
}

function headersOf(msg: Msg): Record<string, string | undefined> {
  const { headers } = msg
  if (!headers) return {}
  return Object.fromEntries(headers.keys().map(name => [name.toLowerCase(), headers.get(name)]))
}
