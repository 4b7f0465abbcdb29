import { Deadline } from '../call/index.ts'
import type { Incoming } from './order.ts'
import type { ReceivedEvent } from './received.ts'

/** A timer that is so late says that the process was frozen or had no processor, unless it has used the processor itself. */
const STARVED_MS = 1000

let cpu = { at: Number.NEGATIVE_INFINITY, usage: process.cpuUsage() }

/** What the process has used up to about now: asked once a second, as it takes longer than many a handler. */
function recentCpu(now: number) {
  if (now - cpu.at > 1000) cpu = { at: now, usage: process.cpuUsage() }
  return cpu
}

/** One attempt to handle an event, and the time it may take. */
export class Attempt extends Deadline {
  readonly event: Incoming
  /** What the handler gets; undefined until it has been read. */
  received: ReceivedEvent | undefined
  /** Why its time was over before the handler ended. */
  late: Error | undefined
  /** The time was over without having been the handler's. */
  starved = false
  #ended = false
  readonly #onLate: (attempt: Attempt) => void
  readonly #beganAt = performance.now()
  readonly #timeoutMs: number
  readonly #cpu = recentCpu(this.#beganAt)
  #saidMs = 0

  constructor(event: Incoming, timeoutMs: number, onLate: (attempt: Attempt) => void) {
    super(timeoutMs, false)
    this.event = event
    this.#timeoutMs = timeoutMs
    this.#onLate = onLate
  }

  /** Milliseconds that it has run, if that has to be said: it is late, and has run twice as long as when it was said before. */
  overdueMs(): number | undefined {
    const ms = performance.now() - this.#beganAt
    if (!this.late || ms < 2 * this.#saidMs) return undefined
    this.#saidMs = ms
    return ms
  }

  /** Whether an error only says that its time was over, as those of its signal and of what the signal ends do. */
  isCauseOf(error: unknown): boolean {
    for (let each = error; each instanceof Error; each = each.cause) if (each === this.late) return true
    return false
  }

  /** The handler has really ended. */
  end(): void {
    this.#ended = true
    this[Symbol.dispose]()
  }

  override cancel(reason: Error): void {
    super.cancel(reason)
    if (this.#ended || this.late) return
    this.late = reason
    const ms = performance.now() - this.#beganAt
    const { user, system } = process.cpuUsage(this.#cpu.usage)
    // A handler that computes without end is late for a reason of its own.
    this.starved = ms > this.#timeoutMs + STARVED_MS && (user + system) / 1000 < (performance.now() - this.#cpu.at) / 2
    this.#onLate(this)
  }
}

/** The attempts that run. Not a Set, whose former tables V8 keeps for long with such a turnover. */
export class Attempts {
  readonly #running: Attempt[] = []
  #idle: PromiseWithResolvers<void> | undefined

  /** Resolves once none runs. */
  get idle(): Promise<void> {
    if (this.#running.length === 0) return Promise.resolve()
    this.#idle ??= Promise.withResolvers()
    return this.#idle.promise
  }

  add(attempt: Attempt): void {
    this.#running.push(attempt)
  }

  /** There are a few dozen at most. */
  remove(attempt: Attempt): void {
    const at = this.#running.indexOf(attempt)
    const last = this.#running.pop()
    if (last && last !== attempt) this.#running[at] = last
    if (this.#running.length === 0) this.#idle?.resolve()
  }

  /** Those that have not ended although their time is over. */
  get late(): readonly Attempt[] {
    return this.#running.filter(({ late }) => late)
  }

  cancel(reason: Error): void {
    for (const attempt of [...this.#running]) attempt.cancel(reason)
  }
}
