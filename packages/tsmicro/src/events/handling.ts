import { type CallContext, DoorContext, type Log, withContext } from '../call/index.ts'
import { isDependencyFailure } from '../errors/index.ts'
import { AlreadyHandledError, type InboxStore } from '../stores/index.ts'
import { Attempt, Attempts } from './attempt.ts'
import type { Incoming, Order } from './order.ts'
import type { EventHandler, ReadEvent, ReceivedEvent } from './received.ts'
import type { Slots } from './slots.ts'

/** A handler of one event, compiled. */
export interface Reaction {
  readonly read: ReadEvent
  readonly handler: EventHandler
  /** How often an event is tried before it is kept as a dead letter. */
  readonly tries: number
}

/** Why an event is not handled yet. */
export interface Failure {
  readonly error: unknown
  /** Whether it counts as a try, because it is not a dependency that failed. */
  readonly counts: boolean
  readonly log: Log
}

export interface HandlingOptions {
  /** Name of the handlers. */
  readonly name: string
  /** By subject. */
  readonly reactions: ReadonlyMap<string, Reaction>
  readonly order: Order
  /** Undefined for idempotent effects. */
  readonly inbox: InboxStore | undefined
  readonly slots: Slots
  /** Milliseconds until an attempt is told to end. */
  readonly timeoutMs: number
  /** Whether all that the service depends on works. What fails meanwhile says nothing about the event. */
  readonly dependenciesWork: () => Promise<boolean>
  readonly log: Log
}

interface Failed {
  readonly error: unknown
  readonly context: CallContext
}

/** Handles one event once: its effect and its record, or neither. */
export class Handling {
  readonly #options: HandlingOptions
  readonly #attempts = new Attempts()
  #stopping = false
  #ended = false

  constructor(options: HandlingOptions) {
    this.#options = options
  }

  /**
   * Tries to handle an event whose turn it is. Returns when the handler has really ended, or resolves then: to the failure if there is one.
   * Never throws or rejects.
   */
  once(event: Incoming): Failure | undefined | Promise<Failure | undefined> {
    const { reactions, slots } = this.#options
    if (this.#stopping) return this.#refusal()
    const reaction = reactions.get(event.subject)
    if (!reaction) return this.pass(event).catch(this.#excused)
    const turn = slots.take()
    return turn
      ? turn.then(() => (this.#stopping ? this.#refusal() : this.#attempt(event, reaction)))
      : this.#attempt(event, reaction)
  }

  /** How many handlers have not ended although their time is over. */
  get overdue(): number {
    return this.#attempts.late.length
  }

  /** Says which ones, the less often the longer it lasts. Called from time to time. */
  tend(): void {
    const { name: handler, log } = this.#options
    for (const attempt of this.#attempts.late) {
      const ms = attempt.overdueMs()
      if (ms === undefined) continue
      const { subject, headers } = attempt.event
      const fields = { subject, eventId: headers['ce-id'], handler, runningMs: Math.round(ms) }
      log.warn(fields, 'a handler has not ended although its time is over: its aggregate waits for it')
    }
  }

  /** From now on no attempt begins: what waits for a slot fails at once. Resolves when those that run have ended. */
  stop(): Promise<void> {
    this.#stopping = true
    this.#options.slots.clear()
    return this.#attempts.idle
  }

  /** After {@link stop}: nothing that still runs can be recorded. */
  end(reason: Error): void {
    this.#ended = true
    this.#attempts.cancel(reason)
  }

  /** Records an event without handling it: a consumer reads an aggregate whole, also what it has no handler for. */
  async pass(event: Incoming): Promise<Failure | undefined> {
    const { order, inbox, log } = this.#options
    const step = order.stepOf(event)
    if (step.from !== step.to && inbox && !(await inbox.advance(step))) {
      order.forget(event.aggregateId)
      if ((await order.judge(event)) !== 'duplicate')
        return { error: new Error('another instance was at it'), counts: false, log }
    }
    order.moved(event)
    return undefined
  }

  #refusal(): Failure {
    return { error: new Error('the service has stopped'), counts: false, log: this.#options.log }
  }

  #attempt(event: Incoming, reaction: Reaction): ReturnType<Handling['once']> {
    const attempt = new Attempt(event, this.#options.timeoutMs, this.#late)
    this.#attempts.add(attempt)
    const context = new DoorContext({
      door: 'nats',
      headers: event.headers,
      deadline: attempt,
      log: this.#options.log,
    })
    try {
      const work = this.#run(event, reaction, attempt, context)
      if (!work) return this.#end(event, attempt)
      attempt.arm()
      return work.then(
        () => this.#end(event, attempt),
        error => this.#end(event, attempt, { error, context }),
      )
    } catch (error) {
      return this.#end(event, attempt, { error, context })
    }
  }

  /** Returns undefined if the handler has ended at once, as without an await. */
  #run(event: Incoming, reaction: Reaction, attempt: Attempt, context: CallContext): Promise<void> | undefined {
    const read = reaction.read(event.headers, event.text())
    const handle = (received: ReceivedEvent) => {
      attempt.throwIfEnded()
      attempt.received = received
      this.#options.inbox?.begin(received, this.#options.order.stepOf(event))
      return withContext(context, () => settling(reaction.handler(received)))
    }
    return read instanceof Promise ? read.then(handle) : handle(read)
  }

  /** Whatever a late handler still does must not keep others from working, nor be recorded. */
  readonly #late = ({ received }: Attempt): void => {
    this.#options.slots.release()
    if (received) void this.#options.inbox?.end(received, false).catch(() => {})
  }

  /** An error there says nothing about the event: it is the database's. */
  readonly #excused = (error: unknown): Failure => ({ error, counts: false, log: this.#options.log })

  #end(event: Incoming, attempt: Attempt, failed?: Failed): ReturnType<Handling['once']> {
    const { order, inbox, slots } = this.#options
    attempt.end()
    this.#attempts.remove(attempt)
    if (!attempt.late) slots.release()
    if (inbox || failed) return this.#conclude(event, attempt, failed).catch(this.#excused)
    order.moved(event)
    return undefined
  }

  async #conclude(event: Incoming, attempt: Attempt, failed: Failed | undefined) {
    const { received, late } = attempt
    const { order, inbox, timeoutMs, dependenciesWork, log } = this.#options
    if (inbox && received && (await inbox.end(received, !failed))) {
      order.moved(event)
      return undefined
    }
    order.forget(event.aggregateId)
    // Its transaction may have been committed without an answer, or another instance was faster.
    if (inbox && (await order.judge(event)) === 'duplicate') return undefined
    const error = failed ? failed.error : unrecorded(event)
    if (this.#ended) return { error, counts: false, log }
    const excused =
      attempt.starved ||
      (blamesDependency(error) ? !attempt.isCauseOf(error) : error instanceof AlreadyHandledError && !late) ||
      !(await dependenciesWork())
    const reason =
      late && !excused ? new Error(`the handler took longer than ${timeoutMs} ms`, { cause: error }) : error
    return { error: reason, counts: !excused, log: failed?.context.log ?? log }
  }
}

function blamesDependency(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (isDependencyFailure(each)) return true
  return false
}

/** A handler may return something lazy, which begins only now, in its context. */
function settling(result: unknown): Promise<void> | undefined {
  if (result instanceof Promise) return result
  if (typeof result !== 'object' || result === null || !('then' in result)) return undefined
  return (async () => void (await result))()
}

function unrecorded({ subject }: Incoming): TypeError {
  return new TypeError(
    `the handler of ${subject} succeeded without having recorded the event: pass it on with its change, or to record() of the inbox`,
  )
}
