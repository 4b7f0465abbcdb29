import { rootMessage } from '../errors/index.ts'
import { currentContext, withContext } from './context.ts'
import { Deadline } from './deadline.ts'
import { DerivedContext, ownerOf } from './derived-context.ts'
import { DoorContext } from './door-context.ts'
import type { Log } from './log.ts'

export interface BackgroundOptions {
  /** Shown in the log when it fails. Default: the function's name. */
  readonly name?: string
  /** Milliseconds it may take; then its signal aborts and it counts as failed. Default 30,000. */
  readonly timeoutMs?: number
  /** Told of a failure. Default: the log of the call that begins it; outside of one a warning of the process. */
  readonly log?: Log
}

interface Running {
  readonly deadline: Deadline
  /** The log of the service whose call began it; undefined where none did. */
  readonly owner: unknown
}

const running = new Map<Promise<void>, Running>()

/** A process may hold several services. What no call began is everybody's. */
const runningOf = (owner: Log) => [...running].filter(([, each]) => each.owner === undefined || each.owner === owner)

/**
 * Work that goes on when the call that begins it has been answered, such as warming a cache or telling another service: with time
 * of its own, whoever of the callers leaves. `currentContext()` is there, with the request id, trace, token and user of that call,
 * and calls that the work makes have its time. A failure is logged; the promise never rejects and need not be awaited. A service
 * that stops waits for it, as for requests. What must not be lost when a process dies belongs into a database instead.
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
    ? new DerivedContext(outer, deadline)
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

/** Resolves when a service's work in the background has ended, that which began meanwhile included. */
export async function backgroundDone(owner: Log): Promise<void> {
  for (let work = runningOf(owner); work.length > 0; work = runningOf(owner))
    await Promise.all(work.map(([ended]) => ended))
}

/** Ends what is still in the background of a service: nobody waits for it. */
export function cancelBackground(owner: Log, reason: Error): void {
  for (const [, { deadline }] of runningOf(owner)) deadline.cancel(reason)
}

const warn = (fields: object, message: string) =>
  process.emitWarning('err' in fields ? `${message}: ${rootMessage(fields.err)}` : message)

/** For work that no call began. */
const WARNING: Log = { debug: warn, info: warn, warn, error: warn, child: () => WARNING }
