import { randomUUID } from 'node:crypto'
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'
import type { Log } from '../call/index.ts'
import type { EventDataOf, EventDefinition, EventSpec } from '../contract/index.ts'
import { compileSchema } from '../schema/index.ts'
import { decodeAttributes, type EventAttributes } from './headers.ts'

/** An event as a handler receives it: attributes beside the validated data. */
export interface ReceivedEvent<E extends EventSpec = EventSpec> extends EventAttributes {
  readonly data: EventDataOf<E>
}

export type EventHandler<E extends EventSpec = EventSpec> = (event: ReceivedEvent<E>) => void | Promise<void>

export interface Consumption {
  readonly event: EventDefinition
  readonly handler: EventHandler
}

export interface ConsumerOptions {
  /** Name of the consuming service: each event reaches one of its instances. */
  readonly service: string
  readonly log: Log
}

/** Takes a service's events one after the other, so that the order of arrival is the order of handling. */
export class EventConsumer {
  readonly #options: ConsumerOptions
  readonly #consumptions: Consumption[] = []
  #running: { readonly subscription: Subscription; readonly done: Promise<void> }[] = []

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Adds a handler; before {@link start}. @throws {TypeError} when the event has one already */
  add<E extends EventSpec>(event: EventDefinition<E>, handler: EventHandler<E>): void {
    if (this.#consumptions.some(known => known.event.subject === event.subject)) {
      throw new TypeError(`event ${event.subject} has a handler already`)
    }
    this.#consumptions.push({ event, handler: handler as unknown as EventHandler })
  }

  async start(nats: NatsConnection): Promise<void> {
    this.#running = this.#consumptions.map(consumption => {
      const subscription = nats.subscribe(consumption.event.subject, { queue: this.#options.service })
      return { subscription, done: this.#work(subscription, consumption) }
    })
    await nats.flush()
  }

  /** Takes no more events, then waits for those already taken. */
  async drain(): Promise<void> {
    const running = this.#running
    this.#running = []
    await Promise.allSettled(running.map(({ subscription }) => subscription.drain()))
    await Promise.allSettled(running.map(({ done }) => done))
  }

  async #work(subscription: Subscription, consumption: Consumption): Promise<void> {
    const { event, handler } = consumption
    const check = compileSchema(event.data, 'ignore')
    for await (const msg of subscription) {
      try {
        const checked = await check(parse(msg))
        if (checked.problems) throw new TypeError(`does not match its schema: ${JSON.stringify(checked.problems)}`)
        await handler({ ...attributesOf(msg, event, checked.value), data: checked.value as never })
      } catch (err) {
        this.#options.log.error(
          { err, subject: msg.subject, eventId: msg.headers?.get('ce-id') },
          'an event could not be handled',
        )
      }
    }
  }
}

function parse(msg: Msg): unknown {
  return JSON.parse(msg.string())
}

function attributesOf(msg: Msg, event: EventDefinition, data: unknown): EventAttributes {
  return decodeAttributes(msg.headers, {
    id: randomUUID(),
    type: event.subject,
    source: 'unknown',
    version: event.version,
    time: new Date().toISOString(),
    aggregateId: String((data as Record<string, unknown>)[event.aggregate]),
    aggregateSequence: undefined,
  })
}
