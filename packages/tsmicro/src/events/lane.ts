import type { Log } from '../call/index.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Delivery } from './delivery.ts'
import type { Failure, Handling } from './handling.ts'
import type { Order, Verdict } from './order.ts'

export interface LaneParts {
  readonly order: Order
  readonly handling: Handling
  readonly letters: DeadLetters
  /** Handles the dead letters of an aggregate whose turn has come. */
  readonly resume: (aggregateId: string) => Promise<unknown>
  /** Tries before an event is kept as a dead letter. */
  readonly triesOf: (subject: string) => number
  /** Milliseconds that an event waits for those before it. */
  readonly gapMs: number
  /** Milliseconds after a failure; twice as long after each further one. */
  readonly pauseMs: number
  readonly log: Log
  /** Whether what can only wait has to leave room for others. */
  readonly isFull: () => boolean
  readonly onFailure: (delivery: Delivery, failure: Failure) => void
  /** An event is kept because others are missing. */
  readonly onGap: (delivery: Delivery, error: Error) => void
}

type Outcome = ReturnType<Handling['once']>
/** Whether it is an event's turn, or whether it has to be kept `behind` a dead letter. */
type Turn = Verdict | 'behind'

/**
 * Milliseconds between two looks whether it is an event's turn: an eighth of what it has waited. If that were as long as the wait, two
 * instances with every other event of an aggregate would make each other wait longer and longer.
 */
const FIRST_LOOK_MS = 10
const LONGEST_LOOK_MS = 1000
const LOOKS = 8
/** Until then another instance may be at the event before; after that it is asked whether the aggregate is parked. */
const ASK_AFTER_MS = 250
const LONGEST_PAUSE_MS = 5000
/** What is stuck for so long leaves if others have no room. */
export const STUCK_MS = 1000
/** Until it comes again: a quarter of the time that it has been stuck. */
const SHORTEST_DELAY_MS = 500
const LONGEST_DELAY_MS = 8000
const DELAYS = 4

/** The events of one aggregate, handled one after the other. Never rejects, and handles none before its turn. */
export class Lane {
  /** By number; the first one is at work. */
  readonly #queue: Delivery[] = []
  readonly #parts: LaneParts
  /** Resolves when nothing is left. */
  ended: Promise<void> = Promise.resolve()
  #atWork: Delivery | undefined
  #headSince = 0
  #wake: (() => void) | undefined
  #stopped = false

  constructor(parts: LaneParts) {
    this.#parts = parts
  }

  get deliveries(): readonly Delivery[] {
    return this.#queue
  }

  /** Milliseconds that its first event has been at work. */
  get stuckMs(): number {
    return performance.now() - this.#headSince
  }

  /** Whether its first event only waits until what its handler needs works again; if it has failed itself, its tries count. */
  get isExcused(): boolean {
    const [first] = this.#queue
    return first !== undefined && first !== this.#atWork && first.excused > 0 && first.tries === 0
  }

  /** Adds an event; wakes a lane that waits for it. */
  add(delivery: Delivery): void {
    const { number } = delivery
    let at = this.#queue.length
    if (number !== undefined) {
      for (; at > 0; at -= 1) {
        const before = this.#queue[at - 1]
        if (!before || before === this.#atWork || (before.number ?? 0) <= number) break
      }
    }
    if (at === this.#queue.length) this.#queue.push(delivery)
    else this.#queue.splice(at, 0, delivery)
    if (at === 0) this.#wake?.()
  }

  /** Handles what there is. Returns false if nothing is left; otherwise it goes on, and calls back once nothing is left. */
  start(onEmpty: () => void): boolean {
    const work = this.#next()
    if (work) this.ended = this.#goOn(work, onEmpty)
    return work !== undefined
  }

  async #goOn(work: Promise<void>, onEmpty: () => void): Promise<void> {
    for (let next: Promise<void> | undefined = work; next; next = this.#next()) await next
    onEmpty()
  }

  /** Handles as many events as take no turn; returns the work on the next one. */
  #next(): Promise<void> | undefined {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      this.#headSince = performance.now()
      if (this.#stopped) this.handBack(0)
      else {
        const work = this.#handle(first)
        if (work) return work
      }
    }
    return undefined
  }

  /** Begins nothing more, and hands back what waits. */
  stop(): void {
    this.#stopped = true
    this.handBack(this.#atWork ? 1 : 0)
    this.#wake?.()
  }

  /** Hands back all events but the first ones. */
  handBack(keep: number, delayMs?: number): void {
    for (const delivery of this.#queue.splice(keep)) delivery.handBack(delayMs)
  }

  /**
   * The same, for longer the longer it is stuck. If each delivery made it longer, the events of an aggregate that goes on again would come
   * later and later, each of them when those behind it have been delayed once more.
   */
  postpone(keep: number): void {
    const { earlySince = this.#headSince } = this.#queue[0] ?? {}
    const delayMs = (performance.now() - earlySince) / DELAYS
    this.handBack(keep, Math.min(Math.max(SHORTEST_DELAY_MS, delayMs), LONGEST_DELAY_MS))
  }

  /** In the usual case it is the event's turn and its handler succeeds: that takes no promise of ours. */
  #handle(delivery: Delivery): Promise<void> | undefined {
    const verdict = this.#turnOf(delivery)
    if (verdict !== 'next') return this.#persist(delivery, verdict)
    this.#atWork = delivery
    const outcome = this.#parts.handling.once(delivery)
    if (outcome) return this.#persist(delivery, verdict, outcome)
    this.#atWork = undefined
    this.#leave(delivery)
    return undefined
  }

  /**
   * Until the event has left, or another one has to go first.
   * @param judged the first verdict @param begun the first attempt
   */
  async #persist(delivery: Delivery, judged: Turn | Promise<Turn>, begun?: Outcome): Promise<void> {
    const { triesOf, gapMs, order, isFull, onGap } = this.#parts
    let turn: Turn | Promise<Turn> | undefined = judged
    let outcome = begun
    const since = performance.now()
    while (this.#queue[0] === delivery && !this.#stopped) {
      try {
        if (delivery.tries >= triesOf(delivery.subject)) return await this.#keep(delivery, delivery.error)
        const judging: Turn | Promise<Turn> = turn ?? this.#turnOf(delivery)
        turn = undefined
        const verdict: Turn = typeof judging === 'string' ? judging : await judging
        if (!outcome && (this.#queue[0] !== delivery || this.#stopped)) return
        if (verdict === 'duplicate') return this.#leave(delivery)
        if (verdict === 'next') {
          const again = await this.#attempt(delivery, outcome)
          outcome = undefined
          if (again) continue
          return
        }
        if (verdict === 'behind') return await this.#keep(delivery, new Error('kept behind an event that failed'))
        const { earlySince = performance.now() } = delivery
        delivery.earlySince = earlySince
        const earlyMs = performance.now() - earlySince
        if (earlyMs > gapMs && !order.giveUp(delivery)) {
          const error = missingError(delivery, order, gapMs)
          onGap(delivery, error)
          return await this.#keep(delivery, error)
        }
        if (earlyMs > STUCK_MS && isFull()) return this.postpone(0)
      } catch (error) {
        this.#parts.onFailure(delivery, { error, counts: false, log: this.#parts.log })
      }
      const waitedMs = performance.now() - since
      await this.#pause(Math.min(Math.max(FIRST_LOOK_MS, waitedMs / LOOKS), LONGEST_LOOK_MS))
    }
  }

  #turnOf(delivery: Delivery): Turn | Promise<Turn> {
    const { order, letters } = this.#parts
    const { aggregateId, earlySince } = delivery
    const asks = earlySince !== undefined && performance.now() - earlySince >= ASK_AFTER_MS
    return asks || letters.parked.has(aggregateId) ? this.#askLetters(delivery) : order.judge(delivery)
  }

  async #askLetters(delivery: Delivery): Promise<Turn> {
    const { order, letters } = this.#parts
    const { aggregateId, number, first } = delivery
    const verdict = await order.judge(delivery)
    if (verdict === 'duplicate') return verdict
    const letter = await letters.first(aggregateId)
    if (!letter) {
      // With nothing recorded, the letters that are gone are all that tells that they were handled.
      if (letters.parked.delete(aggregateId) && order.giveUp(delivery)) return 'next'
      return verdict
    }
    if (letter.number === number) return 'behind'
    const passed = verdict === 'next' && (order.recorded || (number ?? 0) <= first) && number !== undefined
    if (passed || (letter.number ?? 0) > (number ?? Number.POSITIVE_INFINITY)) return verdict
    return 'behind'
  }

  /** One attempt. Returns true if it may be tried again. @param begun it, if it has begun */
  async #attempt(delivery: Delivery, begun?: Outcome): Promise<boolean> {
    const { handling, letters, resume, onFailure, pauseMs } = this.#parts
    this.#atWork = delivery
    const failure = await (begun ?? handling.once(delivery))
    this.#atWork = undefined
    if (!failure) {
      delivery.error = undefined
      this.#leave(delivery)
      if (letters.parked.has(delivery.aggregateId)) await resume(delivery.aggregateId)
      return false
    }
    if (this.#stopped) return false
    onFailure(delivery, failure)
    if (failure.counts) {
      delivery.error = failure.error
      delivery.tries += 1
      if (delivery.tries >= this.#parts.triesOf(delivery.subject)) return true
    } else delivery.excused += 1
    const times = failure.counts ? delivery.tries : delivery.excused
    await this.#pause(Math.min(pauseMs * 2 ** (times - 1), LONGEST_PAUSE_MS))
    return true
  }

  async #keep(delivery: Delivery, error: unknown): Promise<void> {
    const { letters, resume } = this.#parts
    await letters.keep(delivery, error, delivery.tries)
    delivery.error ??= error
    this.#leave(delivery)
    // What it was kept for may have been settled meanwhile.
    if (delivery.tries === 0) await resume(delivery.aggregateId)
  }

  #leave(delivery: Delivery): void {
    const at = this.#queue.indexOf(delivery)
    // It may have been handed back meanwhile.
    if (at < 0) return
    this.#queue.splice(at, 1)
    delivery.done()
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }
}

function missingError(delivery: Delivery, order: Order, gapMs: number): Error {
  const [from, to] = order.missing(delivery)
  const { aggregateId, number, headers, subject } = delivery
  const which = from === to ? `event ${from}` : `events ${from} to ${to}`
  return new Error(
    `${which} of ${subject.split('.', 1)[0]} ${aggregateId} did not come within ${gapMs / 1000} s, so ${number} waits here: ` +
      `"tsmicro events announce ${headers['ce-source']}" lets the source announce its current state`,
  )
}
