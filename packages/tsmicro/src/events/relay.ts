import { type Log, ThrottledLog } from '../call/index.ts'
import { follow, type NatsLink } from '../nats/index.ts'
import type { NumberedEvent } from '../stores/index.ts'
import { encodeAttributes } from './headers.ts'
import type { JetStream, PubAck, StreamInfo } from './jetstream/index.ts'
import type { OutboxDepth } from './operations/commands.ts'
import type { StoreOutbox } from './outbox.ts'
import { StreamWatch } from './stream-watch.ts'

export interface RelayOptions {
  readonly outbox: StoreOutbox<unknown>
  readonly nats: NatsLink
  readonly js: JetStream
  /** Name of the publishing service. */
  readonly source: string
  /** How long events are kept after they were sent: as long as their streams keep them. */
  readonly keepMs: number
  /** The kinds of aggregates that it publishes events of. */
  readonly types: readonly string[]
  /** Creates the stream of a type unless it exists. */
  readonly streamOf: (type: string) => Promise<StreamInfo>
  readonly log: Log
}

/** Finds what no commit of this process has announced: events of other processes, and of Kysely's own transactions. */
const IDLE_MS = 1000
/** The pause after a turn in which not everything was sent, or that another relay had; doubled each time. */
const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 500
/** How many events are sent in one turn. */
const MOST_IN_TURN = 5000
const CLEAN_MS = 60_000

/** `busy`: another relay has the turn. `failed`: something was not sent. */
type Outcome = 'done' | 'busy' | 'failed'

/**
 * Sends what an outbox keeps: at once after each commit of its process. Any number of processes may have one; the store gives them turns.
 * What is sent twice, because a relay died before it was marked, has the same id.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #streams: StreamWatch
  readonly #waiting: ThrottledLog
  /** Aggregates with an event that was not accepted in this turn: their later ones must not pass it. */
  readonly #held = new Set<string>()
  #poked = false
  #wake: (() => void) | undefined
  #endsAt = Number.POSITIVE_INFINITY
  #cleanedAt = performance.now()
  #loop: Promise<void> | undefined

  constructor(options: RelayOptions) {
    const { outbox, log } = options
    this.#options = options
    this.#streams = new StreamWatch({ ...options, store: outbox.store })
    this.#waiting = new ThrottledLog(log, 'events wait in the outbox: they could not be sent')
  }

  /** Creates what is missing, in the database and on the server, and sends what a lost stream lacks. */
  async prepare(): Promise<void> {
    await this.#options.outbox.store.prepare()
    await this.#streams.check()
  }

  start(): void {
    const { nats, outbox } = this.#options
    outbox.store.onCommitted(() => this.#poke())
    void follow(nats.use(), {
      disconnect: () => this.#streams.doubt(),
      reconnect: () => this.#poke(),
    })
    this.#loop = this.#run()
  }

  /** What waits to be sent. */
  async depth(): Promise<OutboxDepth> {
    const { store } = this.#options.outbox
    return { effect: store.effect, ...(await store.depth()) }
  }

  /** Sends what has been committed, for as long as NATS answers but not longer than this, and ends. */
  async drain(ms: number): Promise<void> {
    this.#endsAt = performance.now() + ms
    this.#poke()
    await this.#loop
  }

  #poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    for (;;) {
      const draining = this.#endsAt < Number.POSITIVE_INFINITY
      const outcome = await this.#relay()
      if (draining && (outcome === 'done' || !this.#options.nats.connected || performance.now() > this.#endsAt)) return
      await this.#clean()
      pause = outcome === 'done' ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS)
      if (outcome === 'done') await this.#sleep(IDLE_MS, true)
      else await this.#sleep(pause, false)
    }
  }

  /** @param early whether a commit ends it */
  async #sleep(ms: number, early: boolean): Promise<void> {
    if (early && this.#poked) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    if (early) this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }

  async #relay(): Promise<Outcome> {
    const { nats, outbox } = this.#options
    this.#poked = false
    if (!nats.connected) return 'failed'
    try {
      await this.#streams.check()
      for (;;) {
        this.#held.clear()
        const sent = await outbox.store.relay(events => this.#send(events), MOST_IN_TURN)
        if (sent === 'busy') return sent
        if (this.#held.size > 0) return 'failed'
        if (sent < MOST_IN_TURN) return 'done'
      }
    } catch (err) {
      this.#waiting.warn({ err })
      return 'failed'
    }
  }

  async #send(events: readonly NumberedEvent[]): Promise<readonly (number | undefined)[]> {
    const acks = await Promise.all(events.map(event => this.#publish(event)))
    const lost = await this.#streams.observe(events.map(({ type }, index) => ({ type, ack: acks[index] })))
    return events.map((event, index) => {
      const aggregate = aggregateOf(event)
      const ack = lost.has(event.type) ? undefined : acks[index]
      if (!ack) this.#held.add(aggregate)
      return this.#held.has(aggregate) ? undefined : ack?.sequence
    })
  }

  async #publish(event: NumberedEvent): Promise<PubAck | undefined> {
    if (this.#held.has(aggregateOf(event))) return undefined
    const { js, source } = this.#options
    const { id, subject, aggregateId, sequence, version, time } = event
    try {
      const attributes = { id, type: subject, source, version, time, aggregateId, aggregateSequence: sequence }
      const headers = encodeAttributes({ ...attributes, aggregateFirst: event.first }, event.context)
      return await js.publish(subject, event.data, headers)
    } catch (err) {
      this.#streams.doubt()
      this.#waiting.warn({ err, subject, aggregateId, sequence })
      return undefined
    }
  }

  async #clean(): Promise<void> {
    const { outbox, keepMs, log } = this.#options
    if (performance.now() - this.#cleanedAt < CLEAN_MS) return
    this.#cleanedAt = performance.now()
    await outbox.store.clean(keepMs).catch(err => log.warn({ err }, 'the outbox could not be cleaned'))
  }
}

const aggregateOf = ({ type, aggregateId }: NumberedEvent) => `${type} ${aggregateId}`
