import { type Log, ThrottledLog } from '../call/index.ts'
import { outboxSubject } from '../contract/index.ts'
import { follow, type NatsLink, Subscriptions } from '../nats/index.ts'
import type { JetStream, StreamInfo } from './jetstream/index.ts'
import type { OutboxDepth } from './operations/commands.ts'
import type { StoreOutbox } from './outbox.ts'
import { Sending } from './sending.ts'
import { StreamWatch } from './stream-watch.ts'

export interface RelayOptions {
  readonly outbox: StoreOutbox<unknown>
  readonly nats: NatsLink
  readonly js: JetStream
  /** Name of the publishing service. */
  readonly source: string
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
/** A stop does not wait longer for what NATS does not accept: the next start sends it. */
const MOST_FAILURES = 5
/** How many events are sent in one turn. */
const MOST_IN_TURN = 5000
const CLEAN_MS = 60_000
const TELL_MS = 60 * 60 * 1000
/** Events are kept for this longer than in their streams: the clocks of NATS and of the database may differ. */
const KEEP_LONGER_MS = 60 * 60 * 1000
/** How long a turn is kept when nothing is left, as taking the next one takes longer than sending; and how long in all. */
const LINGER_MS = 30
const LONGEST_TURN_MS = 300

/** `busy`: another relay has the turn. `failed`: something was not sent. */
type Outcome = 'done' | 'busy' | 'failed'

/**
 * Sends what an outbox keeps: at once after each commit of its process. Any number of processes may have one; the store gives them turns.
 * What is sent twice, because a relay died before it was marked, has the same id.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #streams: StreamWatch
  readonly #sending: Sending
  readonly #waiting: ThrottledLog
  #subscriptions: Subscriptions | undefined
  #poked = false
  #turnEndsAt = 0
  /** Another process has the turn, and has to be told of what this one commits. */
  #elsewhere = false
  #wake: (() => void) | undefined
  #endsAt = Number.POSITIVE_INFINITY
  #cleanedAt = Number.NEGATIVE_INFINITY
  #toldAt = Number.NEGATIVE_INFINITY
  #loop: Promise<void> | undefined

  constructor(options: RelayOptions) {
    const { outbox, log } = options
    this.#options = options
    this.#streams = new StreamWatch({ ...options, store: outbox.store })
    this.#sending = new Sending({ ...options, streams: this.#streams })
    this.#waiting = new ThrottledLog(log, 'events wait in the outbox: they cannot be read')
  }

  /** Creates what is missing, in the database and on the server, and sends what a lost stream lacks. */
  async prepare(): Promise<void> {
    await this.#options.outbox.store.prepare()
    await this.#streams.check()
  }

  start(): void {
    const { nats, outbox, source } = this.#options
    outbox.store.onCommitted(() => this.#committed())
    this.#subscriptions = new Subscriptions(nats.use())
    this.#subscriptions.add({ subject: outboxSubject(source), optional: true, take: () => this.#poke() })
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

  /** Sends what has been committed, for as long as NATS accepts it but not longer than this, and ends. */
  async drain(ms: number): Promise<void> {
    this.#endsAt = performance.now() + ms
    this.#poke()
    await this.#loop
    this.#subscriptions?.unsubscribe()
  }

  #committed(): void {
    if (this.#elsewhere) this.#tell()
    else this.#poke()
  }

  get #draining(): boolean {
    return this.#endsAt < Number.POSITIVE_INFINITY
  }

  /** Something can still be sent in time. */
  get #worthwhile(): boolean {
    return this.#options.nats.connected && performance.now() <= this.#endsAt
  }

  /** Nothing ends the turn early. */
  get #certain(): boolean {
    return !this.#draining && this.#options.nats.connected && !this.#streams.doubtful
  }

  /** Tells the other processes of the service that there is something to send. */
  #tell(): void {
    const { nats, source } = this.#options
    if (nats.connected) nats.use().publish(outboxSubject(source))
  }

  #poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  async #run(): Promise<void> {
    let [pause, failures] = [FIRST_PAUSE_MS, 0]
    for (;;) {
      const draining = this.#draining
      const outcome = await this.#relay()
      failures = draining && outcome === 'failed' ? failures + 1 : 0
      if (draining && (outcome === 'done' || failures === MOST_FAILURES || !this.#worthwhile)) return
      await this.#clean()
      const first = outcome === 'done' || (draining && failures <= 1)
      pause = first ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS)
      if (outcome !== 'done') await this.#sleep(pause, false)
      else if (!this.#draining) await this.#sleep(IDLE_MS, true)
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
    const { nats } = this.#options
    this.#poked = false
    if (!nats.connected) return 'failed'
    try {
      await this.#streams.check()
      for (;;) {
        const outcome = await this.#takeTurn()
        if (outcome !== 'more') return outcome
      }
    } catch (err) {
      this.#waiting.warn({ err })
      return 'failed'
    }
  }

  async #takeTurn(): Promise<Outcome | 'more'> {
    this.#turnEndsAt = performance.now() + LONGEST_TURN_MS
    try {
      const sent = await this.#options.outbox.store.relay(
        (events, lasts) => this.#sending.send(events, lasts),
        MOST_IN_TURN,
        () => this.#more(),
      )
      this.#elsewhere = sent === 'busy'
      if (sent === 'busy') return sent
      if (this.#sending.failed) return 'failed'
      return sent < MOST_IN_TURN ? 'done' : 'more'
    } finally {
      this.#sending.end()
    }
  }

  /** Keeps the turn for a while. Resolves to whether there is more to read. */
  async #more(): Promise<boolean> {
    const { begun, failed } = this.#sending
    if (!begun || failed || !this.#certain || performance.now() > this.#turnEndsAt) return false
    await this.#sleep(LINGER_MS, true)
    if (!this.#poked) return false
    this.#poked = false
    return true
  }

  async #clean(): Promise<void> {
    const { outbox, types, log } = this.#options
    const { keepMs = Number.POSITIVE_INFINITY } = this.#streams
    if (keepMs === Number.POSITIVE_INFINITY || performance.now() - this.#cleanedAt < CLEAN_MS) return
    this.#cleanedAt = performance.now()
    try {
      await outbox.store.clean(keepMs + KEEP_LONGER_MS)
      const forgotten = await outbox.store.forget()
      if (forgotten === undefined || this.#cleanedAt - this.#toldAt < TELL_MS) return
      this.#toldAt = this.#cleanedAt
      this.#sending.tellForgotten(forgotten, types)
    } catch (err) {
      log.warn({ err }, 'the outbox could not be cleaned')
    }
  }
}
