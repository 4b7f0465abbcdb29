import type { Deadline } from '../../call/index.ts'

/** Calls back when the caller's signal aborts or the deadline ends. Returns what ends the watch. */
export function watch(
  giveUp: (reason: unknown) => void,
  signal: AbortSignal | undefined,
  deadline: Deadline | undefined,
): () => void {
  const forget = deadline?.onEnd(giveUp)
  if (!signal) return forget ?? (() => {})
  const abort = () => giveUp(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return () => {
    signal.removeEventListener('abort', abort)
    forget?.()
  }
}
