import type { Log } from '../../call/index.ts'
import { type Contract, type EventDefinition, type EventSpec, eventsOf } from '../../contract/index.ts'
import { EventConsumer, type ReceivedEvent } from '../../events/index.ts'
import type { Transport } from '../../nats/index.ts'

/** Who calls and announces in a test: no service can have this name. */
export const TEST = '_test'
const HANDLER_MS = 10_000

interface Seen {
  readonly events: ReceivedEvent[]
  /** How many of them `next` has given. */
  given: number
}

/** What a service announces, as others get it. */
export class PublishedEvents {
  readonly #service: string
  readonly #consumer: EventConsumer
  readonly #seen = new Map<string, Seen>()
  readonly #waiting = new Set<(error?: Error) => void>()

  constructor(service: string, announces: readonly Contract[], log: Log) {
    this.#service = service
    this.#consumer = new EventConsumer({ service: TEST, log, timeoutMs: HANDLER_MS })
    for (const event of announces.flatMap(eventsOf)) {
      if (this.#seen.has(event.subject)) continue
      const seen: Seen = { events: [], given: 0 }
      this.#seen.set(event.subject, seen)
      this.#consumer.add('published', event, received => {
        if (received.source === TEST) return
        seen.events.push(received)
        for (const wake of [...this.#waiting]) wake()
      })
    }
  }

  start(connection: Transport): void {
    this.#consumer.start(connection)
  }

  /** @throws {TypeError} when the service does not announce it */
  all<E extends EventSpec>(event: EventDefinition<E>): readonly ReceivedEvent<E>[] {
    return [...this.#of(event).events] as unknown as readonly ReceivedEvent<E>[]
  }

  /** @throws {Error} when none comes */
  async next<E extends EventSpec>(event: EventDefinition<E>, timeoutMs: number): Promise<ReceivedEvent<E>> {
    const seen = this.#of(event)
    const endsAt = performance.now() + timeoutMs
    for (;;) {
      const next = seen.events[seen.given]
      if (next) {
        seen.given += 1
        return next as unknown as ReceivedEvent<E>
      }
      await this.#change(endsAt, `no ${event.subject} within ${timeoutMs / 1000} s`)
    }
  }

  close(): void {
    for (const wake of [...this.#waiting]) wake(new Error(`${this.#service} has stopped: no more events come`))
  }

  #of({ subject }: EventDefinition): Seen {
    const seen = this.#seen.get(subject)
    if (seen) return seen
    throw new TypeError(
      `${this.#service} does not announce ${subject}: name its contract in \`publishes\` of the module`,
    )
  }

  async #change(endsAt: number, late: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const wake = (error?: Error) => (error ? reject(error) : resolve())
    this.#waiting.add(wake)
    const timer = setTimeout(() => reject(new Error(late)), Math.max(0, endsAt - performance.now()))
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(wake)
    }
  }
}
