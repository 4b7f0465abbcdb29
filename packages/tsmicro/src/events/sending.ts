import { type Log, ThrottledLog } from '../call/index.ts'
import type { NumberedEvent } from '../stores/index.ts'
import { encodeAttributes, FORGOTTEN } from './headers.ts'
import type { JetStream, PubAck } from './jetstream/index.ts'
import type { StreamWatch } from './stream-watch.ts'

interface SendingOptions {
  readonly js: JetStream
  /** Name of the publishing service. */
  readonly source: string
  readonly streams: StreamWatch
  readonly log: Log
}

/** Publishes events of an outbox during a relay's turn: those of an aggregate in their order. */
export class Sending {
  readonly #options: SendingOptions
  readonly #waiting: ThrottledLog
  /** Aggregates with an event that was not accepted in this turn: their later ones must not pass it. */
  readonly #held = new Set<string>()
  /** What the next event of a type says that was forgotten. */
  readonly #forgotten = new Map<string, string>()
  #begun = false

  constructor(options: SendingOptions) {
    this.#options = options
    this.#waiting = new ThrottledLog(options.log, 'events wait in the outbox: they could not be sent')
  }

  /** Whether something was not accepted in this turn. */
  get failed(): boolean {
    return this.#held.size > 0
  }

  /** Whether this turn has published anything. */
  get begun(): boolean {
    return this.#begun
  }

  /** Resolves to the numbers that the stream has given them; undefined for those that are not accepted, and for those behind them. */
  async send(events: readonly NumberedEvent[], lasts: () => boolean): Promise<readonly (number | undefined)[]> {
    this.#begun = true
    const acks = await Promise.all(events.map(event => (lasts() ? this.#publish(event) : undefined)))
    const lost = await this.#options.streams.lost()
    return events.map((event, index) => {
      const aggregate = aggregateOf(event)
      const ack = lost.has(event.type) ? undefined : acks[index]
      if (!ack) this.#held.add(aggregate)
      return this.#held.has(aggregate) ? undefined : ack?.sequence
    })
  }

  /** Tells consumers with the next event of each type, so that they can forget as well. */
  tellForgotten(before: number, types: readonly string[]): void {
    for (const type of types) this.#forgotten.set(type, new Date(before).toISOString())
  }

  end(): void {
    this.#begun = false
    this.#held.clear()
  }

  async #publish(event: NumberedEvent): Promise<PubAck | undefined> {
    if (this.#held.has(aggregateOf(event))) return undefined
    const { js, source, streams } = this.#options
    const { id, subject, type, aggregateId, sequence, version, time, first } = event
    try {
      const attributes = { id, type: subject, source, version, time, aggregateId, aggregateSequence: sequence }
      const forgotten = this.#forgotten.get(type)
      const context = forgotten === undefined ? event.context : { ...event.context, [FORGOTTEN]: forgotten }
      this.#forgotten.delete(type)
      const headers = encodeAttributes({ ...attributes, aggregateFirst: first }, context)
      const ack = await js.publish(subject, event.data, headers)
      streams.note(type, ack)
      return ack
    } catch (err) {
      streams.doubt()
      this.#waiting.warn({ err, subject, aggregateId, sequence })
      return undefined
    }
  }
}

const aggregateOf = ({ type, aggregateId }: NumberedEvent) => `${type} ${aggregateId}`
