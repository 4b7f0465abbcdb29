import type { ApiError } from '../errors/index.ts'

/** How a client reads one stream over several connections. */
export interface ComeBack {
  /** True for codes that the procedure declares: such a failure is an answer, even one with status 503. */
  readonly declares: (code: string) => boolean
  /** Whether items have ids. */
  readonly resumes: boolean
  /** Once it has aborted, no failure is temporary. */
  readonly signal: AbortSignal | undefined
}

/** How far a client has come. */
export interface Progress {
  lastEventId: string | undefined
  /** How long to wait before coming back. */
  retryMs: number
  /** Attempts in a row that brought nothing. */
  attempts: number
  opened: boolean
}

/** Statuses of failures that a later attempt may not meet. */
const TEMPORARY: readonly number[] = [429, 502, 503, 504]
const LONGEST_RETRY_MS = 30_000
/** About five minutes, as each waits twice as long as the one before. */
const MOST_ATTEMPTS = 12
/** The longest time that setTimeout accepts: a longer one would be over at once. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

/**
 * Yields the items of a stream. If they have ids, it comes back after a failure that may be temporary, unless that is there from the start.
 * @param once yields the items of one connection; returns why it has ended, or undefined after the last item
 */
export async function* comeBack(
  { resumes, declares, signal }: ComeBack,
  retryMs: number,
  once: (progress: Progress) => AsyncGenerator<unknown, ApiError | undefined>,
): AsyncGenerator<unknown, void> {
  const progress: Progress = { lastEventId: undefined, retryMs, attempts: 0, opened: false }
  for (;;) {
    const failure = yield* once(progress)
    if (!failure) return
    const { status, code, retryAfterSeconds } = failure
    const mayRetry = resumes && progress.opened && TEMPORARY.includes(status) && !declares(code)
    if (!mayRetry || progress.attempts >= MOST_ATTEMPTS) throw failure
    const backoffMs = Math.min(progress.retryMs * 2 ** progress.attempts++, LONGEST_RETRY_MS)
    // Many clients may have lost their connection at the same moment, so they do not all come back at the same moment.
    const spread = Math.random() / 2
    await pause(retryAfterSeconds ? retryAfterSeconds * 1000 * (1 + spread) : backoffMs * (1 - spread), signal)
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>(resolve => {
    const wake = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, Math.min(ms, LONGEST_WAIT_MS))
    signal?.addEventListener('abort', wake)
  })
  signal?.throwIfAborted()
}
