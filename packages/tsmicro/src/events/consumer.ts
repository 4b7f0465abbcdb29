import type { Msg } from '@nats-io/nats-core'
import { type Log, ThrottledLog, withContext } from '../call/index.ts'
import type { EventDefinition } from '../contract/index.ts'
import { settledWithin } from '../errors/index.ts'
import { contextOfMessage, Subscriptions, type Transport } from '../nats/index.ts'
import { formatProblems, unseenIn, withUnseen } from '../schema/index.ts'
import { announcedVersion, decodeAttributes } from './headers.ts'
import type { EventHandler, HandledEvent, TakenEvent } from './received.ts'
import { compileReader, type EventReader } from './versions.ts'

export interface ConsumerOptions {
  /** Name of the consuming service. Each event reaches one of its instances, once for each handler name, or all of them. */
  readonly service: string
  readonly log: Log
  /** Milliseconds that a handler may take; the next event for its name waits no longer. */
  readonly timeoutMs: number
  /** Called for each event and each handler name, as soon as it has arrived. */
  readonly onTaken?: ((taken: TakenEvent) => void) | undefined
}

interface Consumption extends EventReader {
  /** Undefined for a handler of every instance. */
  readonly name: string | undefined
  readonly event: EventDefinition
  readonly handler: EventHandler
  readonly lane: Lane
}

/** The events that are handled one after the other: those of a name, or of one handler of every instance. */
interface Lane {
  /** Resolves when all accepted events have been handled. */
  work: Promise<unknown>
  /** Events that are not handled yet, and the bytes of their bodies. */
  waiting: number
  bytes: number
}

/** Events that are on their way when draining starts arrive within a round trip; a server that hangs sends nothing. */
const DELIVERY_MS = 2000

/** What may wait for one handler of every instance. Such events may be lost anyway, so a slow handler loses some instead of memory. */
const MOST_WAITING = 1024
const MOST_WAITING_BYTES = 16 * 1024 * 1024

/**
 * Consumes a service's events. Events for one handler name are handled one after the other, across subjects, in the order in which they
 * arrive: `user.created` before `user.updated`. Different names do not wait for each other, nor do handlers of every instance.
 */
export class EventConsumer {
  readonly #options: ConsumerOptions
  readonly #consumptions: Consumption[] = []
  readonly #lanes = new Map<string | symbol, Lane>()
  readonly #overflow: ThrottledLog
  #subscriptions: Subscriptions | undefined
  #whenLost: (() => void) | undefined
  #draining = false

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#overflow = new ThrottledLog(options.log, 'events were dropped: a handler of every instance is too slow')
  }

  /** Adds a handler, before {@link start}. @param name undefined: for every instance */
  add(name: string | undefined, event: EventDefinition, handler: EventHandler): void {
    const key = name ?? Symbol()
    const lane = this.#lanes.get(key) ?? { work: Promise.resolve(), waiting: 0, bytes: 0 }
    this.#lanes.set(key, lane)
    this.#consumptions.push({ name, event, handler, ...compileReader(event), lane })
  }

  /** The events that have a handler. */
  get events(): readonly EventDefinition[] {
    return [...new Map(this.#consumptions.map(({ event }) => [event.subject, event])).values()]
  }

  /** Subjects that the server does not let this instance subscribe to. */
  get refused(): readonly string[] {
    return this.#subscriptions?.refused ?? []
  }

  /** Subscribes to everything. Subscriptions survive reconnects. */
  start(nats: Transport): void {
    const { service, log } = this.#options
    const subscriptions = new Subscriptions(nats, { log, onLost: () => this.#whenLost?.() })
    this.#subscriptions = subscriptions
    for (const consumption of this.#consumptions) {
      const { name, event } = consumption
      const queue = name === undefined ? {} : { queue: `${service}.${name}` }
      subscriptions.add({ subject: event.subject, ...queue, take: msg => this.#take(consumption, msg) })
    }
  }

  /**
   * Stops accepting events, then waits for those already accepted, but not for a server that is gone or does not answer. What waits for a
   * handler in every instance is dropped: it is delivered at most once, and up to a thousand slow ones would hold up the stop.
   */
  async drain(): Promise<void> {
    this.#draining = true
    if (this.#subscriptions) {
      const lost = Promise.withResolvers<void>()
      this.#whenLost = lost.resolve
      await settledWithin(DELIVERY_MS, Promise.race([this.#subscriptions.drain(), lost.promise]))
    }
    await Promise.all([...this.#lanes.values()].map(({ work }) => work))
  }

  #take(consumption: Consumption, msg: Msg): void {
    const { name, event, lane } = consumption
    const { subject } = event
    // JetStream delivers what it has stored to any subject that a client names, whatever that client may publish.
    if (msg.subject !== subject) return
    const bytes = msg.data.length
    const full = lane.waiting >= MOST_WAITING || (lane.waiting > 0 && lane.bytes + bytes > MOST_WAITING_BYTES)
    if (name === undefined && full) {
      this.#overflow.warn({ subject, waiting: lane.waiting })
      return
    }
    lane.waiting += 1
    lane.bytes += bytes
    const handled = lane.work.then(() =>
      name === undefined && this.#draining ? { id: undefined } : this.#handle(consumption, msg),
    )
    const done = () => {
      lane.waiting -= 1
      lane.bytes -= bytes
    }
    // A failing event must not stop those after it.
    lane.work = handled.then(done, done)
    this.#options.onTaken?.({ subject, handler: name, handled })
  }

  /** Rejects only when the log throws. */
  async #handle({ name, event, handler, read, numbers }: Consumption, msg: Msg): Promise<HandledEvent> {
    const context = contextOfMessage(msg, this.#options.timeoutMs, this.#options.log)
    const id = context.headers['ce-id']
    try {
      const text = msg.string()
      const data: unknown = JSON.parse(text)
      const unseen = unseenIn(text, numbers)?.(data)
      const checked = await read(announcedVersion(context.headers), data)
      if (unseen || checked.problems) {
        const problems = formatProblems(withUnseen(unseen, checked.problems))
        throw new TypeError(`${event.subject} does not match its schema: ${problems}`)
      }
      const attributes = decodeAttributes(context.headers, event, checked.value)
      const received = { ...attributes, data: checked.value as never }
      await context.deadline.race(withContext(context, async () => await handler(received)))
      return { id }
    } catch (err) {
      const fields = { err, subject: msg.subject, eventId: id, handler: name ?? 'every instance' }
      context.log.error(fields, 'an event could not be handled')
      return { id, error: err }
    } finally {
      context.deadline[Symbol.dispose]()
    }
  }
}
