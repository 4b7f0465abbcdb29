import { within as outcomeWithin, SERVICE_UNAVAILABLE } from '../../errors/index.ts'

/** Waits so long, or until the signal aborts; never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** @throws {SERVICE_UNAVAILABLE} when it takes longer; the work itself goes on */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = () => new SERVICE_UNAVAILABLE(undefined, { cause: new Error(`${what}: no answer within ${ms} ms`) })
  return outcomeWithin(ms, work, late)
}
