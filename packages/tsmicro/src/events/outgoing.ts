import { currentContext, REQUEST_ID, TRACEPARENT } from '../call/index.ts'
import type { EventDefinition } from '../contract/index.ts'
import { type Check, compiled, refusal, writeInput } from '../schema/index.ts'

/** An event's data as it is sent, and the aggregate that it is about. */
interface Encoded {
  readonly aggregateId: string
  /** JSON text. */
  readonly text: string
}

const checks = new WeakMap<object, Check>()

/** @throws {VALIDATION_FAILED} when the data does not match the event's schema, saying which event and where */
export async function encodeData(event: EventDefinition, data: unknown): Promise<Encoded> {
  const check = checks.get(event) ?? compiled.defaultedOutgoing(event.data)
  checks.set(event, check)
  const checked = await check(data)
  if (checked.problems) throw refusal(`event ${event.subject} does not match its schema`, checked.problems)
  return {
    aggregateId: String((checked.value as Record<string, unknown>)[event.aggregate]),
    text: writeInput(checked.value, `event ${event.subject}`) ?? 'null',
  }
}

/** The request id and the trace of the surrounding call, as header fields. */
export function currentHeaders(): Readonly<Record<string, string>> {
  const { requestId, traceparent } = currentContext() ?? {}
  return { ...(requestId && { [REQUEST_ID]: requestId }), ...(traceparent && { [TRACEPARENT]: traceparent }) }
}
