import type { Msg } from '@nats-io/nats-core'
import { Deadline, DoorContext, type Log, requestIdOf } from '../call/index.ts'
import { BUDGET, REQUEST_ID } from './headers.ts'

const BUDGET_KEY = BUDGET.toLowerCase()

/** The context of a message: the caller's request id, trace, token and what is left of its budget. */
export function contextOfMessage(msg: Msg, timeoutMs: number, log: Log): DoorContext {
  const headers = headersOf(msg)
  const budget = Number(headers[BUDGET_KEY] || Number.NaN)
  return new DoorContext({
    door: 'nats',
    requestId: requestIdOf(headers[REQUEST_ID]),
    headers,
    deadline: new Deadline(budget >= 0 ? Math.min(budget, timeoutMs) : timeoutMs),
    log,
  })
}

function headersOf(msg: Msg): Record<string, string | undefined> {
  const result: Record<string, string | undefined> = Object.create(null)
  try {
    for (const [name, [value]] of msg.headers ?? []) result[name.toLowerCase()] = value
  } catch {
    // Parsed only now, by nats.js, which throws on a malformed block: then the message has no headers.
  }
  return result
}
