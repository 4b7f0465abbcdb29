import type { Log } from '../../call/index.ts'
import { type Contract, type EventDefinition, type EventSpec, eventsOf } from '../../contract/index.ts'
import { SERVICE_UNAVAILABLE, within } from '../../errors/index.ts'
import { EventConsumer, type HandledEvent, type ReceivedEvent, type TakenEvent } from '../../events/index.ts'
import type { Transport } from '../../nats/index.ts'
import type { Backlog } from './backlog.ts'

/** The name of the test itself as a caller and publisher: no service can have it. */
export const TEST = '_test'
const HANDLER_MS = 10_000

/** The events that a service receives, until it has handled them. */
export class HandledEvents {
  readonly #pending = new Set<TakenEvent>()
  readonly #failed = new Set<HandledEvent>()
  readonly #collectors = new Set<(event: TakenEvent) => void>()
  readonly #closed = Promise.withResolvers<never>()

  constructor() {
    this.#closed.promise.catch(() => {})
  }

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

  /**
   * Sends an event, and waits until all its handlers are done.
   * @param names of the handlers that get it from its stream, sooner or later
   * @throws what they threw
   */
  async handling(id: string, names: readonly string[], send: () => Promise<void>): Promise<void> {
    const everywhere: Promise<HandledEvent>[] = []
    const outcomes = new Map<string, HandledEvent>()
    const all = Promise.withResolvers<void>()
    const collect = ({ handler, handled }: TakenEvent) => {
      if (handler === undefined) everywhere.push(handled)
      else
        void handled.then(outcome => {
          if (outcome.id === id) outcomes.set(handler, outcome)
          if (names.every(name => outcomes.has(name))) all.resolve()
        })
    }
    this.#collectors.add(collect)
    try {
      await send()
      if (names.length > 0) await Promise.race([all.promise, this.#closed.promise])
    } finally {
      this.#collectors.delete(collect)
    }
    const named = names.flatMap(name => outcomes.get(name) ?? [])
    const done = [...(await Promise.all(everywhere)).filter(outcome => outcome.id === id), ...named]
    throwFailed(done.filter(outcome => 'error' in outcome && this.#failed.delete(outcome)))
  }

  /** Waits until no event is left to be handled. @throws what handlers threw, once */
  async settled(backlog: Backlog): Promise<void> {
    do {
      // A handler may publish events, too.
      while (this.#pending.size > 0 && this.#failed.size === 0)
        await Promise.allSettled([...this.#pending].map(({ handled }) => handled))
      const failed = [...this.#failed]
      this.#failed.clear()
      throwFailed(failed)
    } while (this.#pending.size > 0 || !(await backlog.done()))
  }

  close(reason: Error): void {
    this.#closed.reject(reason)
  }
}

function throwFailed(outcomes: readonly HandledEvent[]): void {
  const [first, ...others] = outcomes.map(({ error }) => error)
  if (others.length > 0) throw new AggregateError([first, ...others], 'events could not be handled')
  if (outcomes.length > 0) throw first
}

interface Seen {
  readonly events: ReceivedEvent[]
  /** How many of them `next` has returned. */
  given: number
}

/** The events that a service publishes, as others receive them. */
export class PublishedEvents {
  readonly #service: string
  readonly #consumer: EventConsumer
  readonly #seen = new Map<string, Seen>()
  readonly #waiting = new Set<() => void>()
  #closed = false

  constructor(service: string, contracts: readonly Contract[], log: Log) {
    this.#service = service
    this.#consumer = new EventConsumer({ service: TEST, log, timeoutMs: HANDLER_MS })
    for (const event of contracts.flatMap(eventsOf)) {
      if (this.#seen.has(event.subject)) continue
      const seen: Seen = { events: [], given: 0 }
      this.#seen.set(event.subject, seen)
      this.#consumer.add('published', event, received => {
        if (received.source === TEST) return
        seen.events.push(received)
        this.#wakeAll()
      })
    }
  }

  start(connection: Transport): void {
    this.#consumer.start(connection)
  }

  /** @throws {TypeError} when the service does not publish the event */
  all<E extends EventSpec>(event: EventDefinition<E>): readonly ReceivedEvent<E>[] {
    return [...this.#of(event).events] as unknown as readonly ReceivedEvent<E>[]
  }

  /** @throws {Error} when none comes in time; {SERVICE_UNAVAILABLE} when none can come, because the service has stopped */
  async next<E extends EventSpec>(event: EventDefinition<E>, timeoutMs: number): Promise<ReceivedEvent<E>> {
    const seen = this.#of(event)
    const endsAt = performance.now() + timeoutMs
    const late = () => new Error(`no ${event.subject} within ${timeoutMs / 1000} s`)
    for (;;) {
      const next = seen.events[seen.given]
      if (next) {
        seen.given += 1
        return next as unknown as ReceivedEvent<E>
      }
      if (this.#closed) throw stopped(this.#service, 'no more events come')
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.add(resolve)
      await within(Math.max(0, endsAt - performance.now()), promise, late).finally(() => this.#waiting.delete(resolve))
    }
  }

  close(): void {
    this.#closed = true
    this.#wakeAll()
  }

  #of({ subject }: EventDefinition): Seen {
    const seen = this.#seen.get(subject)
    if (seen) return seen
    throw new TypeError(
      `${this.#service} does not announce ${subject}: name its contract in \`publishes\` of the module`,
    )
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** For everything that needs the service to run. */
export function stopped(service: string, consequence: string): InstanceType<typeof SERVICE_UNAVAILABLE> {
  return new SERVICE_UNAVAILABLE(undefined, { message: `${service} has stopped: ${consequence}` })
}
