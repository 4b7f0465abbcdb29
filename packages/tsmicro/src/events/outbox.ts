import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DeepReadonly,
  type EventDefinition,
  type EventInputOf,
  type EventSpec,
  typeOfEvent,
} from '../contract/index.ts'
import { PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { assertDeclared } from '../nats/index.ts'
import type { OutboxStore } from '../stores/index.ts'
import { encodeValue } from './headers.ts'
import { currentHeaders, encodeData } from './outgoing.ts'

interface AddOptions {
  /**
   * The event announces the whole state of its aggregate: consumers need no earlier one. With `after` its number is higher than that, for an
   * aggregate whose events had numbers before there was an outbox; in PostgreSQL alone. Default: false.
   */
  readonly restart?: boolean | { readonly after: number }
  /** When it happened. Default: now. */
  readonly time?: Date
}

/**
 * Announces changes without losing any: an event is kept in the same transaction as the change, and sent once that is committed, whatever
 * dies in between. `Tx` is what makes an event part of a change: a transaction of PostgreSQL, a change of a MongoDB document.
 *
 * @example
 * const announce = <Tx>(outbox: Outbox<Tx>, tx: Tx) =>
 *   outbox.add(tx, userCreated, { userId, email, name, role: 'LEARNER' })
 */
export interface Outbox<Tx> {
  /**
   * Keeps the event with the change. It is sent if and only if the change is committed, in the order of the aggregate's other events. The
   * request id and trace of the surrounding call go with it.
   * @throws {VALIDATION_FAILED} when the data does not match the event's schema, saying which event and where
   * @throws {PAYLOAD_TOO_LARGE} when the event is larger than the NATS server accepts (1 MiB by default), or its aggregate's id than 62 KiB
   * @throws {NOT_PERMITTED} when the module does not list the contract in `publishes`
   */
  add<E extends EventSpec>(
    tx: Tx,
    event: EventDefinition<E>,
    data: DeepReadonly<EventInputOf<E>>,
    options?: AddOptions,
  ): Promise<void>
  /**
   * Erases the data of an aggregate's events so far, from the database and from the stream. Consumers go on with the next one. May be
   * repeated if it fails.
   * @param type the first token of the events' subjects, e.g. `user`
   * @throws {SERVICE_UNAVAILABLE} when the database or NATS is down, or an event of the aggregate could not be sent within five seconds:
   * then nothing is erased
   */
  erase(type: string, aggregateId: string): Promise<void>
}

/** Of a message, by default, and of the header fields that JetStream stores. */
const MOST_BYTES = 1024 * 1024
const MOST_HEADER_BYTES = 64 * 1024
/** For the header fields that all events have. */
const COMMON_BYTES = 2048

/**
 * @example
 * const postgres = createPostgres<Tables>({ url: config.DATABASE_URL })
 * const nats = new NatsClient({ url: env.NATS_URL, name: 'auth' })
 * const outbox = createOutbox(postgres.outboxStore())
 * const module: Module = { nats, dependencies: [postgres], outboxes: [outbox], publishes: [userEvents] }
 * const service = createService({ name: 'auth', version: '1.0.0', module, log })
 * await service.start()
 * const userId = randomUUID()
 * await postgres.transaction(async tx => {
 *   await tx.insertInto('users').values({ id: userId, email: `${userId}@example.com` }).execute()
 *   await outbox.add(tx, userCreated, { userId, email: `${userId}@example.com`, name, role: 'LEARNER' })
 * })
 * await service.stop()
 */
export function createOutbox<Tx>(store: OutboxStore<Tx>): Outbox<Tx> {
  return new StoreOutbox(store)
}

/** How long an erasure waits for events that are being sent. */
const ERASE_MS = 5000
const LOOK_AGAIN_MS = 50

/** The streams of the service that an outbox belongs to. */
export interface OutboxStreams {
  /** What the server accepts; undefined while it is unknown. */
  maxPayload(): number | undefined
  /** Rejects if messages of the type cannot be deleted now. */
  check(type: string): Promise<void>
  /** Deletes messages, as far as they are still there and about this aggregate. */
  delete(type: string, aggregateId: string, sequences: readonly number[]): Promise<void>
}

export class StoreOutbox<Tx> implements Outbox<Tx> {
  readonly store: OutboxStore<Tx>
  /** Set by the service that the outbox belongs to. */
  streams: OutboxStreams | undefined

  constructor(store: OutboxStore<Tx>) {
    this.store = store
  }

  async add(tx: Tx, event: EventDefinition, data: unknown, options: AddOptions = {}): Promise<void> {
    const { subject, version } = event
    const { restart = false, time = new Date() } = options
    assertDeclared(this, 'publishes', subject)
    const { aggregateId, text } = await encodeData(event, data)
    const context = currentHeaders()
    const inHeaders = COMMON_BYTES + encodeValue(aggregateId).length + Object.values(context).join('').length
    const bytes = Buffer.byteLength(text) + inHeaders
    // It could never be sent, nor could those behind it.
    if (inHeaders > MOST_HEADER_BYTES || bytes > (this.streams?.maxPayload() ?? MOST_BYTES))
      throw new PAYLOAD_TOO_LARGE()
    const type = typeOfEvent(subject)
    const stored = {
      id: randomUUID(),
      subject,
      type,
      aggregateId,
      version,
      time: time.toISOString(),
      data: text,
      context,
    }
    const after = typeof restart === 'object' ? restart.after : 0
    await this.store.add(tx, stored, { restart: restart !== false, after })
  }

  async erase(type: string, aggregateId: string): Promise<void> {
    const { streams, store } = this
    if (!streams) throw new TypeError('the outbox belongs to no service: list it in `outboxes` of the module')
    await streams.check(type)
    const endsAt = performance.now() + ERASE_MS
    for (;;) {
      const sent = await store.erase(type, aggregateId)
      if (sent !== 'unsent') return streams.delete(type, aggregateId, sent)
      if (performance.now() > endsAt) throw unsent(type, aggregateId)
      await sleep(LOOK_AGAIN_MS)
    }
  }
}

function unsent(type: string, aggregateId: string): Error {
  const message = `nothing is erased of ${type} ${aggregateId}: its last event is not sent yet; try again later`
  return new SERVICE_UNAVAILABLE(undefined, { message, retryAfterSeconds: 1 })
}
