import { type Clock, elapsed, type Instant } from './clock.ts'
import type { AccessChange, AccessChanges, Position } from './protocol.ts'

/** Milliseconds between two questions: what is not pushed takes half of it on average. */
const ASK_MS = 150
/** Between two questions that pushes cause. */
const PUSHED_MS = 20
/** Questions until it pauses because nobody needs the answers: about a minute. */
const MOST_IDLE = 400

/** What is kept only as long as nothing says otherwise. */
export interface Kept {
  /** The number of the latest change that is contained in something that is kept. */
  readonly newest: number
  apply(change: AccessChange): void
  forget(): void
}

export interface ChangeFeedOptions {
  readonly ask: (since: Position | undefined) => Promise<AccessChanges>
  readonly kept: Kept
  readonly leaseMs: number
  readonly clock: Clock
}

/**
 * Keeps asking what has changed. What is kept holds for `leaseMs` from the moment at which a question was asked, once it is answered: the
 * answer contains every change that was stored before that moment. It does not matter how long the answer took, so a process that was frozen,
 * here or there, passes no old news for fresh. Several questions are open at the same time, so that one that is never answered ends no lease.
 */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions
  #position: Position | undefined
  /** When the question was asked that has told most. */
  #askedAt: Instant | undefined
  #timer: NodeJS.Timeout | undefined
  #pushed: NodeJS.Timeout | undefined
  #pushedAgain = false
  #idle = 0

  constructor(options: ChangeFeedOptions) {
    this.#options = options
  }

  /** Whether what is kept may be used now. Reading it keeps the questions going. */
  get holds(): boolean {
    const { leaseMs, clock } = this.#options
    if (leaseMs === 0) return false
    this.#idle = 0
    if (this.#timer === undefined) this.#start()
    return this.#askedAt !== undefined && elapsed(this.#askedAt, clock()) < leaseMs
  }

  /** The number of the latest change that was heard of. */
  get number(): number {
    return this.#position?.number ?? 0
  }

  /** Something has changed: asks at once, or a little later if it has just asked because of another push. */
  push(): void {
    if (this.#timer === undefined) return
    if (this.#pushed !== undefined) {
      this.#pushedAgain = true
      return
    }
    void this.ask()
    this.#pushed = setTimeout(() => {
      this.#pushed = undefined
      if (this.#pushedAgain) this.push()
    }, PUSHED_MS).unref()
    this.#pushedAgain = false
  }

  async ask(): Promise<void> {
    const askedAt = this.#options.clock()
    const { newest } = this.#options.kept
    try {
      const answer = await this.#options.ask(this.#position)
      // An older question than the one that was answered last: what it tells is known, or will be told again.
      if (this.#askedAt !== undefined && askedAt[0] < this.#askedAt[0]) return
      // Less than was known when it was asked: the database has lost its latest changes, as after a failover.
      this.#hear(answer.position.number < newest ? { ...answer, startOver: true } : answer)
      this.#askedAt = askedAt
    } catch {
      // The lease ends by itself.
    }
  }

  #start(): void {
    void this.ask()
    this.#timer = setInterval(() => {
      this.#idle += 1
      if (this.#idle <= MOST_IDLE) return void this.ask()
      clearInterval(this.#timer)
      this.#timer = undefined
    }, ASK_MS).unref()
  }

  #hear({ position, changes, startOver }: AccessChanges): void {
    const { kept } = this.#options
    if (startOver) kept.forget()
    for (const change of changes) kept.apply(change)
    // Another question was answered meanwhile that was asked earlier but read later.
    if (startOver || position.number >= this.number) this.#position = position
  }
}
