/** How often it is seen that the process runs. */
const BEAT_MS = 250
/** A pause of the process below this is none: no caller gives up within it. */
const PAUSE_MS = 1000
/** So long after a pause what is read may have been waiting since before. */
const BACKLOG_MS = 1000

/** A request's time of asking, as far back as it may have been. */
export interface Asking {
  /** Milliseconds since then, at most. */
  ageMs(): number
}

/** Milliseconds since any fixed moment, by a clock that cannot be set and by one that goes on while a machine sleeps. */
export type Clocks = () => readonly [steady: number, wall: number]

type Instant = readonly [steady: number, wall: number]

const systemClocks: Clocks = () => [performance.now(), Date.now()]

/**
 * Tells when requests were sent, not when they are worked on: what a process reads after it was frozen (SIGSTOP, a paused
 * machine, a blocked event loop) has been lying in its sockets for nobody knows how long, and its sender may be long gone.
 */
export class Arrivals {
  static #ofProcess: Arrivals | undefined
  readonly #clocks: Clocks
  #seen: Instant
  #pause: { readonly from: Instant; readonly until: Instant } | undefined
  readonly #timer: NodeJS.Timeout

  /** Those of this process: all that runs in it stands still together. */
  static ofProcess(): Arrivals {
    Arrivals.#ofProcess ??= new Arrivals()
    return Arrivals.#ofProcess
  }

  /** Watches at once; the timer keeps no process alive. */
  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks
    this.#seen = clocks()
    this.#timer = setInterval(() => this.#look(), BEAT_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** For a request that has just been read. */
  read(): Asking {
    this.#look()
    const from = this.#pause && this.#since(this.#pause.until) < BACKLOG_MS ? this.#pause.from : this.#seen
    return { ageMs: () => this.#since(from) }
  }

  #look(): void {
    const [seen, now] = [this.#seen, this.#clocks()]
    this.#seen = now
    if (between(seen, now) < PAUSE_MS) return
    // Frozen again before the backlog was read: it is as old as the first pause.
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
