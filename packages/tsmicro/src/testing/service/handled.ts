import type { HandledEvent, TakenEvent } from '../../events/index.ts'

/** The events that a service takes, until it has handled them. */
export class HandledEvents {
  readonly #pending = new Set<TakenEvent>()
  readonly #failed = new Set<HandledEvent>()
  readonly #collectors = new Set<(event: TakenEvent) => void>()

  take = (event: TakenEvent): void => {
    this.#pending.add(event)
    for (const collect of this.#collectors) collect(event)
    void event.handled
      .then(outcome => {
        if ('error' in outcome) this.#failed.add(outcome)
      })
      .catch(() => {})
      .finally(() => this.#pending.delete(event))
  }

  /** Sends an event, and waits until all that take it have handled it. @throws what their handlers threw */
  async handling(id: string, send: () => Promise<void>): Promise<void> {
    const taken: TakenEvent[] = []
    const collect = (event: TakenEvent) => void taken.push(event)
    this.#collectors.add(collect)
    await send().finally(() => this.#collectors.delete(collect))
    const outcomes = await Promise.all(taken.map(({ handled }) => handled))
    throwFailed(outcomes.filter(outcome => outcome.id === id && 'error' in outcome && this.#failed.delete(outcome)))
  }

  /** Waits until nothing is left to be handled. @throws what handlers threw, once */
  async settled(): Promise<void> {
    // A handler may announce events, too.
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending].map(({ handled }) => handled))
    const failed = [...this.#failed]
    this.#failed.clear()
    throwFailed(failed)
  }
}

function throwFailed(outcomes: readonly HandledEvent[]): void {
  const [first, ...others] = outcomes.map(({ error }) => error)
  if (others.length > 0) throw new AggregateError([first, ...others], 'events could not be handled')
  if (outcomes.length > 0) throw first
}
