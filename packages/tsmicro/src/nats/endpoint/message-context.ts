import type { Msg } from '@nats-io/nats-core'
import { Deadline, DoorContext, type Log } from '../../call/index.ts'
import { BUDGET } from '../wire/headers.ts'
import { budgetOf } from './budget.ts'

const BUDGET_KEY = BUDGET.toLowerCase()

/** The context of a message: the caller's request id, trace, token and what is left of its budget. */
export function contextOfMessage(msg: Msg, timeoutMs: number, log: Log): DoorContext {
  const headers = headersOf(msg)
  const deadline = new Deadline(budgetOf(Number(headers[BUDGET_KEY] || Number.NaN), timeoutMs))
  return new DoorContext({ door: 'nats', headers, deadline, log })
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
