/** Milliseconds a call may take: what its caller still waits, when that is a number, but no more than we allow. */
export function budgetOf(told: number, timeoutMs: number): number {
  return told >= 0 ? Math.min(told, timeoutMs) : timeoutMs
}
