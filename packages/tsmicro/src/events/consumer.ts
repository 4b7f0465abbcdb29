import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import { type Log, withContext } from '../call/index.ts'
import type { EventDataOf, EventDefinition, EventSpec } from '../contract/index.ts'
import { contextOfMessage, type Transport, type TransportSubscription } from '../nats/index.ts'
import { type Check, compileSchema } from '../schema/index.ts'
import { decodeAttributes, type EventAttributes } from './headers.ts'

/** An event as a handler receives it: attributes beside the validated data. */
export interface ReceivedEvent<E extends EventSpec = EventSpec> extends EventAttributes {
  readonly data: EventDataOf<E>
}

/** Runs with the announcer's request id and trace in `currentContext()`. */
export type EventHandler<E extends EventSpec = EventSpec> = (event: ReceivedEvent<E>) => void | Promise<void>

interface Consumption {
  readonly event: EventDefinition
  readonly handler: EventHandler
  readonly check: Check
}

export interface ConsumerOptions {
  /** Name of the consuming service: each event reaches one of its instances. */
  readonly service: string
  readonly log: Log
  /** Milliseconds a handler may take; the next event is not kept waiting longer. */
  readonly timeoutMs: number
}

/** What was on its way when a consumer began to drain comes within a round trip; a server that hangs sends nothing. */
const DELIVERY_MS = 2000

/**
 * Takes a service's events one after the other, whatever their subjects, so that the order of arrival is the order of
 * handling: `user.created` before `user.updated`.
 */
export class EventConsumer {
  readonly #options: ConsumerOptions
  readonly #consumptions: Consumption[] = []
  #subscriptions: TransportSubscription[] = []
  #work: Promise<void> = Promise.resolve()
  /** There is no connection: it has nothing to deliver, and draining would wait for its next attempt to come back. */
  #lost = false
  #whenLost: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Adds a handler; before {@link start}. @throws {TypeError} when the event has one already */
  add<E extends EventSpec>(event: EventDefinition<E>, handler: EventHandler<E>): void {
    if (this.#consumptions.some(known => known.event.subject === event.subject)) {
      throw new TypeError(`event ${event.subject} has a handler already`)
    }
    const check = compileSchema(event.data, 'ignore')
    this.#consumptions.push({ event, handler: handler as unknown as EventHandler, check })
  }

  /** Subscribes everything. Subscriptions survive reconnects. */
  start(nats: Transport): void {
    const { service, log } = this.#options
    this.#subscriptions = this.#consumptions.map(consumption =>
      nats.subscribe(consumption.event.subject, {
        queue: service,
        callback: (err, msg) => {
          if (err) log.error({ err, subject: consumption.event.subject }, 'subscription failed')
          else this.#work = this.#work.then(() => this.#handle(consumption, msg))
        },
      }),
    )
    void this.#watch(nats)
  }

  /** Takes no more events, then waits for those already taken; for no server that is gone or does not answer. */
  async drain(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#subscriptions = []
    if (this.#lost) for (const subscription of subscriptions) subscription.unsubscribe()
    else if (subscriptions.length > 0) await this.#delivered(subscriptions)
    await this.#work
  }

  async #delivered(subscriptions: readonly TransportSubscription[]): Promise<void> {
    const gone = Promise.withResolvers<void>()
    this.#whenLost = gone.resolve
    const timer = setTimeout(gone.resolve, DELIVERY_MS)
    await Promise.race([Promise.allSettled(subscriptions.map(subscription => subscription.drain())), gone.promise])
    clearTimeout(timer)
  }

  async #watch(nats: Transport): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === 'reconnect') this.#lost = false
      else if (type === 'disconnect') this.#lose()
    }
    this.#lose()
  }

  #lose(): void {
    this.#lost = true
    this.#whenLost?.()
  }

  /** Never rejects: one bad event must not stop those behind it. */
  async #handle({ event, handler, check }: Consumption, msg: Msg): Promise<void> {
    const context = contextOfMessage(msg, this.#options.timeoutMs, this.#options.log)
    try {
      const checked = await check(JSON.parse(msg.string()))
      if (checked.problems) throw new TypeError(`does not match its schema: ${JSON.stringify(checked.problems)}`)
      const received = { ...attributesOf(context.headers, event, checked.value), data: checked.value as never }
      await context.deadline.race(withContext(context, async () => handler(received)))
    } catch (err) {
      context.log.error(
        { err, subject: msg.subject, eventId: context.headers['ce-id'] },
        'an event could not be handled',
      )
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
