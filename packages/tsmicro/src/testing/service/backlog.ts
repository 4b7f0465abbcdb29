import { setTimeout as sleep } from 'node:timers/promises'
import {
  durableOf,
  type EventDefinition,
  eventStream,
  eventsOf,
  type NatsAccess,
  typeOfEvent,
} from '../../contract/index.ts'
import { JetStream, type Outbox, StoreOutbox } from '../../events/index.ts'
import type { NatsClient } from '../../nats/index.ts'

const LOOK_MS = 2

interface BacklogParts {
  readonly access: NatsAccess
  readonly outboxes: readonly Outbox<never>[]
  /** A client that may ask about consumers. */
  readonly nats: NatsClient
}

/** The events that a service has still to send and to handle. */
export class Backlog {
  readonly #service: string
  readonly #outboxes: readonly Outbox<never>[]
  readonly #jetStream: JetStream
  /** Names of handlers, and their subjects. */
  readonly #handlers: readonly (readonly [string, readonly string[]])[]

  constructor({ access: { service, handles = {} }, outboxes, nats }: BacklogParts) {
    this.#service = service
    this.#outboxes = outboxes
    this.#jetStream = new JetStream(nats)
    this.#handlers = Object.entries(handles).map(([name, contracts]) => [
      name,
      contracts.flatMap(eventsOf).map(({ subject }) => subject),
    ])
  }

  /** The names of the handlers of an event, but for those of every instance. */
  namesFor({ subject }: EventDefinition): readonly string[] {
    return this.#handlers.filter(([, subjects]) => subjects.includes(subject)).map(([name]) => name)
  }

  /** Whether nothing is left. If something is, a while passes before the answer. */
  async done(): Promise<boolean> {
    const handled = await this.#handled()
    // What is sent meanwhile is handled later, and leads to more.
    if (handled !== undefined && (await this.#allSent()) && (await this.#handled()) === handled) return true
    await sleep(LOOK_MS)
    return false
  }

  async #allSent(): Promise<boolean> {
    for (const outbox of this.#outboxes)
      if (outbox instanceof StoreOutbox && (await outbox.store.depth()).pending > 0) return false
    return true
  }

  /** How many events were delivered to handlers; undefined unless all of them have been handled. */
  async #handled(): Promise<number | undefined> {
    let delivered = 0
    for (const [name, subjects] of this.#handlers)
      for (const type of new Set(subjects.map(typeOfEvent))) {
        const consumer = await this.#jetStream.consumer(eventStream(type), durableOf(this.#service, name))
        if (!consumer || consumer.num_pending + consumer.num_ack_pending > 0) return undefined
        delivered += consumer.delivered.consumer_seq
      }
    return delivered
  }
}
