import { type Log, ThrottledLog } from '../call/index.ts'
import { follow, type NatsLink } from '../nats/index.ts'
import type { StreamConfig } from './jetstream/index.ts'
import { createStream, createStreams } from './streams.ts'

/** A server may lose its streams without a lost connection, and then nothing else shows it. */
const CHECK_MS = 30_000
const AGAIN_MS = 1000

interface KeptStreamsOptions {
  readonly nats: NatsLink
  readonly streams: readonly StreamConfig[]
  /** Called at the start, once they exist. */
  readonly verify: () => Promise<void>
  readonly log: Log
}

/** The streams of a service: created when it starts, and again when the server has lost them. */
export class KeptStreams {
  readonly name = 'JetStream'
  readonly #options: KeptStreamsOptions
  readonly #missing: ThrottledLog
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #stopped = false

  constructor(options: KeptStreamsOptions) {
    this.#options = options
    this.#missing = new ThrottledLog(
      options.log,
      'streams of events cannot be checked, nor created if they are missing',
    )
  }

  async connect(): Promise<void> {
    const { nats, streams, verify, log } = this.#options
    await createStreams(nats, streams, log)
    await verify()
  }

  /** From now on, looks whether they are still there. */
  start(): void {
    void follow(this.#options.nats.use(), { reconnect: () => void this.#look(), close: () => this.stop() })
    this.#lookIn(CHECK_MS)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), ms).unref()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const { nats, streams, log } = this.#options
    let next = CHECK_MS
    try {
      if (nats.connected) for (const stream of streams) await createStream(nats, stream, log)
    } catch (err) {
      next = AGAIN_MS
      if (nats.connected && !this.#stopped) this.#missing.warn({ err })
    }
    this.#looking = false
    this.#lookIn(next)
  }
}
