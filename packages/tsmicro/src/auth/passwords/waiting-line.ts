/** Whose work it is, so that everybody gets a share. */
export interface WorkOptions {
  /** Kinds take turns: signing in waits for one sign-up at a time, however many there are. Default: one kind for all. */
  readonly kind?: string
  /** Within a kind those who ask take turns, addresses for example. Default: one for all. */
  readonly by?: string
  /** Aborts when nobody is waiting for the result: work that has not begun is not done then. */
  readonly signal?: AbortSignal | undefined
}

export interface Waiting {
  readonly by: string
  begin(): void
  refuse(): void
}

/** Who waits with work of one kind; those who ask take turns. */
export class WaitingLine {
  /** In the order of their turns; nobody without anything that waits. */
  readonly #askers = new Map<string, Waiting[]>()
  size = 0

  add(waiting: Waiting): void {
    const own = this.#askers.get(waiting.by)
    if (own) own.push(waiting)
    else this.#askers.set(waiting.by, [waiting])
    this.size++
  }

  remove(waiting: Waiting): void {
    const own = this.#askers.get(waiting.by)
    const index = own?.indexOf(waiting) ?? -1
    if (!own || index < 0) return
    own.splice(index, 1)
    this.size--
    if (own.length === 0) this.#askers.delete(waiting.by)
  }

  takeNext(): Waiting | undefined {
    for (const [by, own] of this.#askers) {
      const next = own.shift()
      this.#askers.delete(by)
      if (own.length > 0) this.#askers.set(by, own)
      if (!next) continue
      this.size--
      return next
    }
    return undefined
  }

  /** The last of whoever has the most that waits: a full line does not keep out those who ask for little. */
  takeLastOfMost(): Waiting | undefined {
    let most: Waiting[] = []
    for (const own of this.#askers.values()) if (own.length >= most.length) most = own
    const last = most.at(-1)
    if (last) this.remove(last)
    return last
  }
}
