import { Deadline, DoorContext, type Log, withContext } from '../call/index.ts'
import { isDependencyFailure } from '../errors/index.ts'
import { AlreadyHandledError, type InboxStore } from '../stores/index.ts'
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
  /** By subject. */
  readonly reactions: ReadonlyMap<string, Reaction>
  readonly order: Order
  /** Undefined for idempotent effects. */
  readonly inbox: InboxStore | undefined
  readonly slots: Slots
  /** Milliseconds until an attempt is told to end. */
  readonly timeoutMs: number
  readonly log: Log
}

interface Running {
  readonly deadline: Deadline
  readonly received: ReceivedEvent
}

/** Handles one event once: its effect and its record, or neither. */
export class Handling {
  readonly #options: HandlingOptions
  readonly #running = new Set<Running>()
  #ended = false

  constructor(options: HandlingOptions) {
    this.#options = options
  }

  /** Tries to handle an event whose turn it is. Resolves when the handler has really ended, to the failure if there is one. Never rejects. */
  async once(event: Incoming): Promise<Failure | undefined> {
    const { reactions, slots, log } = this.#options
    const reaction = reactions.get(event.subject)
    const failed = (error: unknown) => ({ error, counts: false, log })
    if (!reaction) return this.pass(event).catch(failed)
    const turn = slots.take()
    if (turn) await turn
    // Only the last step asks the database for itself; an error there says nothing about the event.
    return this.#attempt(event, reaction).catch(failed)
  }

  /** From now on no attempt begins, and nothing that still runs can be recorded. */
  end(reason: Error): void {
    this.#ended = true
    for (const { deadline } of this.#running) deadline.cancel(reason)
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

  async #attempt(event: Incoming, { read, handler }: Reaction): Promise<Failure | undefined> {
    const { order, inbox, slots, timeoutMs, log } = this.#options
    const deadline = new Deadline(timeoutMs)
    const context = new DoorContext({ door: 'nats', headers: event.headers, deadline, log })
    let running: Running | undefined
    let late = false
    let error: unknown
    let failed = false
    deadline.onEnd(() => {
      late = true
      // Whatever the handler still does must not keep others from working, nor be recorded.
      slots.release()
      if (running) void inbox?.end(running.received, false).catch(() => {})
    })
    try {
      if (this.#ended) throw new Error('the service has stopped')
      const received = await read(event.headers, event.text())
      running = { deadline, received }
      this.#running.add(running)
      inbox?.begin(received, order.stepOf(event))
      await withContext(context, async () => await handler(received))
    } catch (err) {
      failed = true
      error = err
    }
    deadline[Symbol.dispose]()
    if (!late) slots.release()
    if (running) this.#running.delete(running)

    if (inbox ? running && (await inbox.end(running.received, !failed)) : !failed) {
      order.moved(event)
      return undefined
    }
    order.forget(event.aggregateId)
    // Its transaction may have been committed without an answer, or another instance was faster.
    if (inbox && (await order.judge(event)) === 'duplicate') return undefined
    if (!failed)
      error = new TypeError(
        `the handler of ${event.subject} succeeded without having recorded the event: pass it on with its change, or to record() of the inbox`,
      )
    if (this.#ended) return { error, counts: false, log: context.log }
    const excused = isDependencyFailure(error) || (error instanceof AlreadyHandledError && !late)
    if (late && !excused) error = new Error(`the handler took longer than ${timeoutMs} ms`, { cause: error })
    return { error, counts: !excused, log: context.log }
  }
}
