import { currentContext, withContext } from './context.ts'
import { Deadline } from './deadline.ts'
import { DerivedContext } from './derived-context.ts'

/** Longer than anything waits that the work might do. */
const LONGEST_MS = 60_000

/**
 * Runs work that several calls wait for, such as fetching what a cache keeps. It keeps request id, trace and token of the call
 * that happened to begin it, but that call's end is not its end: it is cancelled by the signal alone. For
 * `createCacheStore({ share: withSharedContext })`.
 *
 * @example
 * const cacheStore = createCacheStore({ share: withSharedContext })
 */
export async function withSharedContext<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const context = currentContext()
  if (!context) return run()
  const deadline = new Deadline(LONGEST_MS)
  const cancel = () => deadline.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    return await withContext(new DerivedContext(context, deadline), async () => run())
  } finally {
    signal.removeEventListener('abort', cancel)
    deadline[Symbol.dispose]()
  }
}
