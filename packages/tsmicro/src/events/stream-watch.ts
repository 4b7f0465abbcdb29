import type { Log } from '../call/index.ts'
import type { OutboxStore } from '../stores/index.ts'
import type { PubAck, StreamInfo } from './jetstream/index.ts'

export interface StreamWatchOptions {
  readonly store: OutboxStore<unknown>
  readonly types: readonly string[]
  /** Creates the stream of a type unless it exists. */
  readonly streamOf: (type: string) => Promise<StreamInfo>
  readonly log: Log
}

/** A stream may be restored without a lost connection, and then nothing else shows it at once. */
const CHECK_MS = 30_000

/**
 * Notices when a stream has lost messages that it had acknowledged: JetStream does so before it syncs them to disk, and a stream may be
 * wiped or restored. Then the outbox sends again what it has kept.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions
  /** The last number that each stream is known to have given. */
  readonly #last = new Map<string, number>()
  /** Of streams that gave a number twice: the last one that they can have kept. */
  readonly #restored = new Map<string, number>()
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(options: StreamWatchOptions) {
    this.#options = options
  }

  /** The streams are compared before anything else is sent. */
  doubt(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY
  }

  /** Compares the streams with what is recorded about them, unless that was done lately. */
  async check(): Promise<void> {
    const began = performance.now()
    if (began - this.#checkedAt < CHECK_MS) return
    this.#checkedAt = began
    try {
      for (const type of this.#options.types) await this.#compare(type)
    } catch (err) {
      this.doubt()
      throw err
    }
  }

  /** Takes note of acknowledgements in the order of their events. Returns the types whose streams have lost messages. */
  async observe(
    sent: readonly { readonly type: string; readonly ack: PubAck | undefined }[],
  ): Promise<ReadonlySet<string>> {
    const lost = new Set<string>()
    const recorded = new Map<string, number>()
    for (const { type, ack } of sent) {
      if (!ack || ack.duplicate || lost.has(type)) continue
      const { sequence } = ack
      const last = this.#last.get(type) ?? 0
      // After another relay's turn, only the store knows the last number.
      if (sequence > last + 1 && !recorded.has(type))
        recorded.set(type, (await this.#options.store.streamState(type))?.lastSequence ?? 0)
      if (sequence > Math.max(last, recorded.get(type) ?? 0)) this.#last.set(type, sequence)
      else {
        lost.add(type)
        this.#restored.set(type, sequence - 1)
        this.doubt()
      }
    }
    return lost
  }

  async #compare(type: string): Promise<void> {
    const { store, streamOf, log } = this.#options
    const { created, state } = await streamOf(type)
    const recorded = await store.streamState(type)
    const kept = Math.min(state.last_seq, this.#restored.get(type) ?? Number.POSITIVE_INFINITY)
    const isOther = recorded && recorded.created !== created
    const isShorter = recorded && kept < recorded.lastSequence
    const now = { created, lastSequence: state.last_seq }
    const again = isOther || isShorter ? { resendAfter: isOther ? 0 : kept } : undefined
    const events = await store.recordStream(type, now, again)
    if (again) log.warn({ type, events }, 'a stream has lost events: they are sent again')
    this.#last.set(type, state.last_seq)
    this.#restored.delete(type)
  }
}
