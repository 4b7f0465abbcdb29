import { rootMessage } from '../errors/index.ts'
import { type CallContext, currentContext, DoorContext, type Log, withContext } from './context.ts'
import { Deadline } from './deadline.ts'

export interface BackgroundOptions {
  /** Shown in the log when it fails. Default: the function's name. */
  readonly name?: string
  /** Milliseconds the work may take; then its signal aborts and it counts as failed. Default 30,000. */
  readonly timeoutMs?: number
  /** Where a failure is logged. Default: the log of the call that starts the work; outside of one, a warning of the process. */
  readonly log?: Log
}

interface Running {
  readonly deadline: Deadline
  /** The log of the service whose call started it; undefined if no call did. */
  readonly owner: unknown
}

const running = new Map<Promise<void>, Running>()

/** A process may hold several services. Work that no call started belongs to each of them. */
const runningOf = (owner: Log) => [...running].filter(([, each]) => each.owner === undefined || each.owner === owner)

/**
 * Starts work that continues after its call has been answered, such as warming a cache or notifying another service. The work has
 * a time limit of its own and does not end when the caller leaves. Inside it, `currentContext()` has the request id, trace, token
 * and user of that call, and calls that the work makes share its time limit. A failure is logged; the promise never rejects and
 * need not be awaited. A service that stops waits for the work, as it does for requests. What must survive a crash belongs in a
 * database instead.
 *
 * @example
 * const warmUp = (signal: AbortSignal) =>
 *   nats.client(validation).validateRole({ userId, role: 'EDITOR' }, { signal })
 * inBackground(warmUp, { timeoutMs: 60_000 })
 */
export function inBackground(
  work: (signal: AbortSignal) => PromiseLike<unknown> | unknown,
  { name = work.name || 'work in the background', timeoutMs = 30_000, log }: BackgroundOptions = {},
): Promise<void> {
  const outer = currentContext()
  const deadline = new Deadline(timeoutMs)
  const context = outer
    ? derive(outer, deadline)
    : new DoorContext({ door: 'background', headers: {}, deadline, log: log ?? WARNING })
  const begin = async () => void (await work(deadline.signal))
  const ended = deadline
    .race(withContext(context, begin))
    .catch(err => {
      const { requestId } = context
      if (log) log.error({ err, requestId, work: name }, `${name} failed`)
      else context.log.error({ err, work: name }, `${name} failed`)
    })
    // A log that throws must not end the process.
    .catch(() => {})
    .finally(() => {
      deadline[Symbol.dispose]()
      running.delete(ended)
    })
  running.set(ended, { deadline, owner: ownerOf(outer) })
  return ended
}

/** Resolves when a service has no work left in the background, including work that started meanwhile. */
export async function backgroundDone(owner: Log): Promise<void> {
  for (let work = runningOf(owner); work.length > 0; work = runningOf(owner))
    await Promise.all(work.map(([ended]) => ended))
}

/** Cancels what a service still does in the background. */
export function cancelBackground(owner: Log, reason: Error): void {
  for (const [, { deadline }] of runningOf(owner)) deadline.cancel(reason)
}

const warn = (fields: object, message: string) =>
  process.emitWarning('err' in fields ? `${message}: ${rootMessage(fields.err)}` : message)

/** For work that no call started. */
const WARNING: Log = { debug: warn, info: warn, warn, error: warn, child: () => WARNING }

/** Longer than any shared work should take. */
const SHARED_WORK_MS = 60_000

/**
 * Runs work that several calls wait for, such as a cache's fetch. It keeps the request id, trace and token of the call that happened
 * to start it, but it does not end with that call: only the signal cancels it. For `createCacheStore({ share: withSharedContext })`.
 *
 * @example
 * const cacheStore = createCacheStore({ share: withSharedContext })
 */
export async function withSharedContext<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const context = currentContext()
  if (!context) return run()
  const deadline = new Deadline(SHARED_WORK_MS)
  const cancel = () => deadline.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    return await withContext(derive(context, deadline), async () => run())
  } finally {
    signal.removeEventListener('abort', cancel)
    deadline[Symbol.dispose]()
  }
}

/** The service that a call belongs to, if that is known. */
function ownerOf(context: CallContext | undefined): unknown {
  return context && 'owner' in context ? context.owner : undefined
}

/** The context of another call, with a deadline of its own. Most values of a context are made on demand, so they are not copied. */
function derive(context: CallContext, deadline: Deadline): CallContext {
  return new Proxy(context, { get: (from, key) => (key === 'deadline' ? deadline : Reflect.get(from, key)) })
}
