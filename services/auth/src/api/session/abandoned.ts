import { session } from '@blog-platform/auth-contract'
import { DEADLINE_EXCEEDED } from 'tsmicro'
import type { Asking } from './arrivals.ts'

/** From the sending on; the door counts from the reading, which may be long after. */
const PATIENCE_MS = session.refresh.timeoutMs ?? 5000

/**
 * Whether nobody is waiting for a renewal. By the clock as well: in a process that was frozen, what it waited for may go on
 * before the timers that end the request.
 */
export function isAbandoned(asking: Asking, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true || asking.ageMs() > PATIENCE_MS
}

/** @throws the signal's reason, or DEADLINE_EXCEEDED */
export function refuseAbandoned(asking: Asking, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  if (isAbandoned(asking, signal)) throw new DEADLINE_EXCEEDED()
}
