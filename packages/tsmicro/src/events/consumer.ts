import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import { type Log, withContext } from '../call/index.ts'
import type { EventDataOf, EventDefinition, EventSpec } from '../contract/index.ts'
import { contextOfMessage, Subscriptions, type Transport } from '../nats/index.ts'
import { type Check, compileRequest, mayHaveNumbers, tellInexact, tellProblems } from '../schema/index.ts'
import { decodeAttributes, type EventAttributes } from './headers.ts'

/**
 * An event as a handler receives it: attributes beside the validated data.
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

interface Consumption {
  readonly event: EventDefinition
  readonly handler: EventHandler
  readonly check: Check
  readonly numbers: boolean
}

/** Handlers of one name: what comes for them is handled one after the other. */
interface Reader {
  readonly name: string
  readonly consumptions: Consumption[]
  work: Promise<void>
}

export interface ConsumerOptions {
  /** Name of the consuming service: each event reaches one of its instances, once for each name of its handlers. */
  readonly service: string
  readonly log: Log
  /** Milliseconds a handler may take; the next event of its name is not kept waiting longer. */
  readonly timeoutMs: number
  /** Told of each event for each name, as soon as it has come. */
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
  /** Absent = all went well. */
  readonly error?: unknown
}

/** What was on its way when a consumer began to drain comes within a round trip; a server that hangs sends nothing. */
const DELIVERY_MS = 2000

/**
 * Takes a service's events, those of each name one after the other, whatever their subjects, so that the order of arrival is the
 * order of handling: `user.created` before `user.updated`. Different names do not wait for each other.
 */
export class EventConsumer {
  readonly #options: ConsumerOptions
  readonly #readers = new Map<string, Reader>()
  #subscriptions: Subscriptions | undefined
  #whenLost: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Adds a handler, before {@link start}. Those of one name take their events one after the other. */
  add(name: string, event: EventDefinition, handler: EventHandler): void {
    const reader = this.#readers.get(name) ?? { name, consumptions: [], work: Promise.resolve() }
    this.#readers.set(name, reader)
    reader.consumptions.push({
      event,
      handler,
      check: compileRequest(event.data, 'ignore'),
      numbers: mayHaveNumbers(event.data),
    })
  }

  /** The events that are taken. */
  get events(): readonly EventDefinition[] {
    const consumptions = [...this.#readers.values()].flatMap(reader => reader.consumptions)
    return [...new Map(consumptions.map(({ event }) => [event.subject, event])).values()]
  }

  /** Subjects that the server does not let this instance hear. */
  get refused(): readonly string[] {
    return this.#subscriptions?.refused ?? []
  }

  /** Subscribes everything. Subscriptions survive reconnects. */
  start(nats: Transport): void {
    const subscriptions = new Subscriptions(nats, { log: this.#options.log, onLost: () => this.#whenLost?.() })
    this.#subscriptions = subscriptions
    const { service } = this.#options
    for (const reader of this.#readers.values()) {
      for (const consumption of reader.consumptions) {
        subscriptions.add({
          subject: consumption.event.subject,
          queue: `${service}.${reader.name}`,
          take: msg => {
            const handled = reader.work.then(() => this.#handle(consumption, msg, reader.name))
            // Whatever happens to one: those behind it have their turn.
            reader.work = handled.then(
              () => {},
              () => {},
            )
            this.#options.onTaken?.({ subject: consumption.event.subject, handled })
          },
        })
      }
    }
  }

  /** Takes no more events, then waits for those already taken; for no server that is gone or does not answer. */
  async drain(): Promise<void> {
    if (this.#subscriptions) await this.#delivered(this.#subscriptions)
    await Promise.all([...this.#readers.values()].map(({ work }) => work))
  }

  async #delivered(subscriptions: Subscriptions): Promise<void> {
    const gone = Promise.withResolvers<void>()
    this.#whenLost = gone.resolve
    const timer = setTimeout(gone.resolve, DELIVERY_MS)
    await Promise.race([subscriptions.drain(), gone.promise])
    clearTimeout(timer)
  }

  /** Rejects for a log that throws alone. */
  async #handle({ event, handler, check, numbers }: Consumption, msg: Msg, name: string): Promise<HandledEvent> {
    const context = contextOfMessage(msg, this.#options.timeoutMs, this.#options.log)
    const id = context.headers['ce-id']
    try {
      const text = msg.string()
      const inexact = numbers ? tellInexact(text, '') : undefined
      const checked = inexact ? { problems: [inexact] } : await check(JSON.parse(text))
      if (checked.problems)
        throw new TypeError(`${event.subject} does not match its schema: ${tellProblems(checked.problems)}`)
      const received = { ...attributesOf(context.headers, event, checked.value), data: checked.value as never }
      await context.deadline.race(withContext(context, async () => await handler(received)))
      return { id }
    } catch (err) {
      context.log.error({ err, subject: msg.subject, eventId: id, handler: name }, 'an event could not be handled')
      return { id, error: err }
    } finally {
      context.deadline[Symbol.dispose]()
    }
  }
}

function attributesOf(
  headers: Readonly<Record<string, string | undefined>>,
  event: EventDefinition,
  data: unknown,
): EventAttributes {
  return decodeAttributes(headers, {
    id: randomUUID(),
    type: event.subject,
    source: 'unknown',
    version: event.version,
    time: new Date().toISOString(),
    aggregateId: String((data as Record<string, unknown>)[event.aggregate]),
    aggregateSequence: undefined,
  })
}
