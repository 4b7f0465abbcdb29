import { type Log, ThrottledLog } from '../call/index.ts'
import { rootMessage } from '../errors/index.ts'
import { adaptConsumer, GROUP } from './consumer-config.ts'
import { Incarnation } from './delivery.ts'
import type { ConsumerConfig, JetStream, JetStreamMessage, PullOptions, PullOutcome } from './jetstream/index.ts'

export interface PullingOptions {
  readonly js: JetStream
  readonly stream: string
  readonly config: ConsumerConfig
  readonly log: Log
  /** How many more events fit, and whether their bytes do. */
  readonly room: () => { readonly events: number; readonly bytes: boolean }
  readonly take: (message: JetStreamMessage, from: Incarnation) => void
  /** The consumer is there; `other` if it is another one than before. Awaited before events come. */
  readonly onConsumer: (other: boolean) => Promise<void>
  /** From now on we get what another instance had until now, or the other way round. */
  readonly onPin: (ours: boolean) => void
  readonly onIdle: () => void
}

/** Of one pull; two at a time hide the way to the server. */
export const MOST_PULLED = 256
export const MOST_PULLED_BYTES = 4 * 1024 * 1024
const MOST_PULLS = 2
const PULL_MS = 10_000
const RETRY_MS = 1000

/** Gets events from the server as long as there is room for them, whatever happens to the connection, the stream and the consumer. */
export class Pulling {
  readonly #options: PullingOptions
  readonly #durable: string
  /** Whether the server gives messages to one instance at a time. */
  readonly #alone: boolean
  readonly #aborted = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #troubles: ThrottledLog
  #incarnation: Incarnation | undefined
  #ready = false
  #pulls = 0
  #pulledAt = 0
  #requested = 0
  #pinId: string | undefined

  constructor(options: PullingOptions) {
    this.#options = options
    this.#durable = options.config.durable_name
    this.#alone = options.config.priority_groups !== undefined
    this.#troubles = new ThrottledLog(options.log, `consumer ${this.#durable} cannot get its events`)
  }

  /** Whether events come here: of a consumer that one instance has alone, those of others do not. */
  get here(): boolean {
    return this.#ready && (!this.#alone || this.#pinId !== undefined)
  }

  /** Makes sure that the consumer is there, and pulls. Tried again until it succeeds. */
  begin(): void {
    this.#ready = false
    void this.#track(this.#ensure()).then(
      () => {
        if (this.#aborted.signal.aborted) return
        // The connection was lost once more since the consumer was found.
        if (!this.#incarnation?.sure) return this.begin()
        this.#ready = true
        this.fill()
      },
      error => this.#beginLater(rootMessage(error)),
    )
  }

  /** Takes nothing more. Resolves when what the server has sent by now has come, and was handed back. */
  async stop(): Promise<void> {
    this.#ready = false
    this.#aborted.abort()
    await Promise.allSettled(this.#running)
  }

  /** Lets another instance be pinned at once, as soon as nothing runs here. */
  async unpin(): Promise<void> {
    const { js, stream } = this.#options
    if (this.#pinId !== undefined) await js.unpin(stream, this.#durable, GROUP).catch(() => {})
  }

  /** The connection or the consumer is lost: until it is known what is at the other end, nothing is acknowledged. */
  lost(): void {
    this.#incarnation?.doubt()
    if (this.#ready) this.begin()
  }

  /** Asks for more if there is room. */
  fill(): void {
    while (this.#ready && this.#pulls < (this.#alone && this.#pinId === undefined ? 1 : MOST_PULLS)) {
      const { events, bytes } = this.#options.room()
      if (!bytes || events - this.#requested < MOST_PULLED) return
      void this.#pull(MOST_PULLED)
    }
  }

  /** Sends acknowledgements that wait for others. */
  flush(): void {
    this.#incarnation?.flush()
  }

  /** Who sends no pulls for a while is no longer pinned, although it may only be busy. */
  keepPin(): void {
    if (this.#ready && this.#pinId !== undefined && this.#pulls === 0 && performance.now() - this.#pulledAt > PULL_MS)
      void this.#pull(1)
  }

  #beginLater(reason: string): void {
    if (this.#aborted.signal.aborted) return
    this.#ready = false
    this.#troubles.warn({ stream: this.#options.stream, reason })
    setTimeout(() => this.#aborted.signal.aborted || this.#ready || this.begin(), RETRY_MS).unref()
  }

  async #ensure(): Promise<void> {
    const { js, stream, config, log, onConsumer } = this.#options
    const found = await js.consumer(stream, this.#durable)
    const { created } = found ? await adaptConsumer(js, found, config, log) : await js.createConsumer(stream, config)
    const other = this.#incarnation?.created !== created
    if (other) {
      if (this.#incarnation) this.#incarnation.replaced = true
      this.#incarnation = new Incarnation(created)
      this.#pinId = undefined
    } else this.#incarnation?.confirm()
    await onConsumer(other)
  }

  async #pull(batch: number, limited = true): Promise<void> {
    let received = 0
    this.#pulls += 1
    this.#pulledAt = performance.now()
    this.#requested += batch
    const options: PullOptions = {
      batch,
      ...(limited ? { maxBytes: MOST_PULLED_BYTES } : {}),
      expiresMs: PULL_MS,
      signal: this.#aborted.signal,
      ...(this.#alone ? { group: GROUP, pinId: this.#pinId } : {}),
      take: message => {
        received += 1
        this.#requested -= 1
        this.#take(message)
      },
    }
    const { js, stream, onIdle } = this.#options
    const { end, text } = await this.#track(js.pull(stream, this.#durable, options)).catch(
      (error: unknown): Pick<PullOutcome, 'end' | 'text'> => ({ end: 'refused', text: rootMessage(error) }),
    )
    this.#pulls -= 1
    this.#requested -= batch - received
    if (!this.#ready) return
    if (end === 'too large') void this.#pull(1, false)
    else if (end === 'wrong pin') this.#pinned(undefined)
    else if (end === 'busy' || end === 'refused') this.#beginLater(text ?? end)
    else if (end === 'expired') onIdle()
    else if (end !== 'done') this.lost()
    this.fill()
  }

  #take(message: JetStreamMessage): void {
    const incarnation = this.#incarnation
    if (this.#aborted.signal.aborted || !incarnation) message.nak()
    else {
      const pinId = message.headers['nats-pin-id']
      if (pinId !== undefined && pinId !== this.#pinId) this.#pinned(pinId)
      this.#options.take(message, incarnation)
    }
  }

  #pinned(pinId: string | undefined): void {
    this.#pinId = pinId
    this.#options.onPin(pinId !== undefined)
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    const done = () => void this.#running.delete(work)
    work.then(done, done)
    return work
  }
}
