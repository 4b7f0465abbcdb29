/**
 * Waits for work for at most `ms` milliseconds, or until the signal aborts. The work itself continues.
 * @throws the error that `late` creates when the time is up; the signal's reason if it aborts
 * @example
 * await within(1000, Promise.resolve('done'), () => new DEADLINE_EXCEEDED()) // 'done'
 */
export async function within<T>(ms: number, work: PromiseLike<T>, late: () => Error, signal?: AbortSignal): Promise<T> {
  const end = Promise.withResolvers<never>()
  const abort = () => end.reject(signal?.reason)
  const timer = setTimeout(() => end.reject(late()), ms)
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, end.promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Waits until all the work has settled; resolves to false if that takes longer than `ms`. Never rejects. */
export function settledWithin(ms: number, ...work: readonly (PromiseLike<unknown> | undefined)[]): Promise<boolean> {
  return within(ms, Promise.allSettled(work), () => new Error('late')).then(
    () => true,
    () => false,
  )
}
