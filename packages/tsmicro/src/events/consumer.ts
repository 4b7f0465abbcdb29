import type { Msg } from '@nats-io/nats-core'
import { type Log, withContext } from '../call/index.ts'
import type { EventDataOf, EventDefinition, EventSpec } from '../contract/index.ts'
import { settledWithin } from '../errors/index.ts'
import { contextOfMessage, Subscriptions, type Transport } from '../nats/index.ts'
import { type Check, compiled, formatProblems, mayHaveNumbers, unseenIn, withUnseen } from '../schema/index.ts'
import { decodeAttributes, type EventAttributes } from './headers.ts'

/**
 * An event as a handler receives it: the validated data with its attributes.
 *
 * @example
 * const welcome = async ({ data }: ReceivedEvent<typeof userCreated>) => log.info({ userId: data.userId }, 'welcome')
 * on(userCreated, { name: 'welcome', effect: 'idempotent' }, welcome)
 */
export interface ReceivedEvent<E extends EventSpec = EventSpec> extends EventAttributes {
  readonly data: EventDataOf<E>
}

/** Runs with the announcer's request id and trace in `currentContext()`. */
export type EventHandler<E extends EventSpec = EventSpec> = (event: ReceivedEvent<E>) => void | Promise<void>

export interface ConsumerOptions {
  /** Name of the consuming service. Each event reaches one of its instances, once for each handler name. */
  readonly service: string
  readonly log: Log
  /** Milliseconds that a handler may take; the next event for its name waits no longer. */
  readonly timeoutMs: number
  /** Called for each event and each handler name, as soon as it has arrived. */
  readonly onTaken?: ((taken: TakenEvent) => void) | undefined
}

/** An event on its way to a handler. */
export interface TakenEvent {
  readonly subject: string
  /** Resolves when it has been handled, or could not be. */
  readonly handled: Promise<HandledEvent>
}

export interface HandledEvent {
  readonly id: string | undefined
  /** Absent = handled successfully. */
  readonly error?: unknown
}

interface Consumption {
  readonly name: string
  readonly event: EventDefinition
  readonly handler: EventHandler
  readonly check: Check
  readonly numbers: boolean
}

/** Events that are on their way when draining starts arrive within a round trip; a server that hangs sends nothing. */
const DELIVERY_MS = 2000

/**
 * Consumes a service's events. Events for one handler name are handled one after the other, across subjects, in the order in which they
 * arrive: `user.created` before `user.updated`. Different names do not wait for each other.
 */
export class EventConsumer {
  readonly #options: ConsumerOptions
  readonly #consumptions: Consumption[] = []
  /** By name: resolves when all accepted events have been handled. */
  readonly #work = new Map<string, Promise<unknown>>()
  #subscriptions: Subscriptions | undefined
  #whenLost: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Adds a handler, before {@link start}. */
  add(name: string, event: EventDefinition, handler: EventHandler): void {
    const check = compiled.request(event.data, 'ignore')
    this.#consumptions.push({ name, event, handler, check, numbers: mayHaveNumbers(event.data) })
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
      const take = (msg: Msg) => this.#take(consumption, msg)
      subscriptions.add({ subject: event.subject, queue: `${service}.${name}`, take })
    }
  }

  /** Stops accepting events, then waits for those already accepted, but not for a server that is gone or does not answer. */
  async drain(): Promise<void> {
    if (this.#subscriptions) {
      const lost = Promise.withResolvers<void>()
      this.#whenLost = lost.resolve
      await settledWithin(DELIVERY_MS, Promise.race([this.#subscriptions.drain(), lost.promise]))
    }
    await Promise.all(this.#work.values())
  }

  #take(consumption: Consumption, msg: Msg): void {
    const { name, event } = consumption
    const handled = (this.#work.get(name) ?? Promise.resolve()).then(() => this.#handle(consumption, msg))
    // A failing event must not stop those after it.
    this.#work.set(
      name,
      handled.catch(() => {}),
    )
    this.#options.onTaken?.({ subject: event.subject, handled })
  }

  /** Rejects only when the log throws. */
  async #handle({ name, event, handler, check, numbers }: Consumption, msg: Msg): Promise<HandledEvent> {
    const context = contextOfMessage(msg, this.#options.timeoutMs, this.#options.log)
    const id = context.headers['ce-id']
    try {
      const text = msg.string()
      const data: unknown = JSON.parse(text)
      const unseen = unseenIn(text, numbers)?.(data)
      const checked = await check(data)
      if (unseen || checked.problems) {
        const problems = formatProblems(withUnseen(unseen, checked.problems))
        throw new TypeError(`${event.subject} does not match its schema: ${problems}`)
      }
      const attributes = decodeAttributes(context.headers, event, checked.value)
      const received = { ...attributes, data: checked.value as never }
      await context.deadline.race(withContext(context, async () => await handler(received)))
      return { id }
    } catch (err) {
      const fields = { err, subject: msg.subject, eventId: id, handler: name }
      context.log.error(fields, 'an event could not be handled')
      return { id, error: err }
    } finally {
      context.deadline[Symbol.dispose]()
    }
  }
}
