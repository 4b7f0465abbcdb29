import { randomUUID } from 'node:crypto'
import type { DeepReadonly, EventDefinition, EventInputOf, EventSpec } from '../contract/index.ts'
import { assertDeclared, type NatsLink } from '../nats/index.ts'
import { encodeAttributes } from './headers.ts'
import { JetStream } from './jetstream/index.ts'
import { currentHeaders, encodeData } from './outgoing.ts'

export interface PublishOptions {
  /** Number of this change among those of the aggregate, e.g. the row's version. */
  readonly sequence?: number
  /** Default: a new UUID. Publishing the same id twice is one event. */
  readonly id?: string
  /** When it happened. Default: now. */
  readonly time?: Date
}

/** Publishes the events of one service. */
export interface Publisher {
  /**
   * Resolves when the event's stream has stored it; then each handler gets it, even one that does not run now. The request id and trace of
   * the surrounding call go with it.
   *
   * It does not promise that a change and its event go together: if the process ends after the commit and before this, the event is lost,
   * and if this fails, the change stays. Events of one aggregate that are published at the same time may be stored in either order. An
   * outbox has neither problem.
   * @throws {VALIDATION_FAILED} when the data does not match the event's schema, saying which event and where; nothing is sent
   * @throws {PAYLOAD_TOO_LARGE} when the event is larger than the server accepts (1 MiB by default); nothing is sent
   * @throws {NOT_PERMITTED} when the module does not list the contract in `publishes`, or the server does not permit it
   * @throws {SERVICE_UNAVAILABLE} when NATS is down, or has no stream for the event: a service creates those of its events when it starts
   * @throws {DEADLINE_EXCEEDED} when the stream does not answer; it may have stored the event
   */
  publish<E extends EventSpec>(
    event: EventDefinition<E>,
    data: DeepReadonly<EventInputOf<E>>,
    options?: PublishOptions,
  ): Promise<void>
}

/**
 * @example
 * const events: Publisher = createPublisher(natsClient, 'auth')
 * await events.publish(userCreated, { userId, email, name, role: 'LEARNER' }, { sequence: user.version })
 */
export function createPublisher(nats: NatsLink, source: string): Publisher {
  const jetStream = new JetStream(nats)
  return {
    async publish(event, data, options = {}) {
      assertDeclared(nats, 'publishes', event.subject)
      const { aggregateId, text } = await encodeData(event, data)
      const attributes = {
        id: options.id ?? randomUUID(),
        type: event.subject,
        source,
        version: event.version,
        time: (options.time ?? new Date()).toISOString(),
        aggregateId,
        aggregateSequence: options.sequence,
      }
      const headers = encodeAttributes(attributes, currentHeaders())
      await jetStream.publish(event.subject, text, headers)
    },
  }
}
