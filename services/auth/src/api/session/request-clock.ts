import { session } from '@blog-platform/auth-contract'
import { DEADLINE_EXCEEDED } from 'tsmicro'

/** How often the clock checks that the process is running. */
const CHECK_MS = 250
/** Shorter pauses of the process are ignored: no caller gives up within them. */
const PAUSE_MS = 1000
/** For how long after a pause requests that are read may have been waiting since before it. */
const BACKLOG_MS = 1000
/** How long callers wait for a renewal, counted from sending. The HTTP door counts from reading, which may be much later. */
const PATIENCE_MS = session.refresh.timeoutMs ?? 5000

/** Milliseconds since any fixed moment, by a clock that cannot be set and by one that goes on while a machine sleeps. */
export type Clocks = () => readonly [steady: number, wall: number]

type Instant = ReturnType<Clocks>

const systemClocks: Clocks = () => [performance.now(), Date.now()]

/** When a request was sent, at the earliest. */
export class RequestAge {
  /** Milliseconds since the request was sent, at most. */
  readonly ageMs: () => number

  constructor(ageMs: () => number) {
    this.ageMs = ageMs
  }

  /**
   * Whether the caller no longer waits. This looks at the time as well as at the signal: when a frozen process wakes up, what
   * it was waiting for may continue before the timers that end the request.
   */
  isAbandoned(signal: AbortSignal | undefined): boolean {
    return signal?.aborted === true || this.ageMs() > PATIENCE_MS
  }

  /** @throws the signal's reason, or DEADLINE_EXCEEDED */
  throwIfAbandoned(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.isAbandoned(signal)) throw new DEADLINE_EXCEEDED()
  }
}

/**
 * Tells when requests were sent, as opposed to when they are processed. A request that is read after the process was frozen
 * (SIGSTOP, a paused machine, a blocked event loop) may have been waiting in a socket for a long time, and its sender may
 * have left.
 */
export class RequestClock {
  static #ofProcess: RequestClock | undefined
  readonly #clocks: Clocks
  #seen: Instant
  #pause: { readonly from: Instant; readonly until: Instant } | undefined
  readonly #timer: NodeJS.Timeout

  /** The clock shared by everything in this process, which pauses as a whole. */
  static ofProcess(): RequestClock {
    RequestClock.#ofProcess ??= new RequestClock()
    return RequestClock.#ofProcess
  }

  /** Starts to watch at once. Its timer does not keep the process alive. */
  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks
    this.#seen = clocks()
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Call this for a request that has just been read. */
  read(): RequestAge {
    this.#check()
    const from = this.#pause && this.#since(this.#pause.until) < BACKLOG_MS ? this.#pause.from : this.#seen
    return new RequestAge(() => this.#since(from))
  }

  #check(): void {
    const [seen, now] = [this.#seen, this.#clocks()]
    this.#seen = now
    if (between(seen, now) < PAUSE_MS) return
    // If the process froze again before it had read the backlog, the backlog is as old as the first pause.
    const before = this.#pause
    const from = before && between(before.until, seen) < BACKLOG_MS ? before.from : seen
    this.#pause = { from, until: now }
  }

  #since(instant: Instant): number {
    return between(instant, this.#clocks())
  }
}

function between(from: Instant, until: Instant): number {
  return Math.max(until[0] - from[0], until[1] - from[1], 0)
}
