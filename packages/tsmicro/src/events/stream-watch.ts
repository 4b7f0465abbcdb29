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
  /** How long each stream keeps its events, in milliseconds. */
  readonly #ages = new Map<string, number>()
  /** Of streams that gave a number twice: the last one that they can have kept. */
  readonly #restored = new Map<string, number>()
  /** The first number of this turn after one that this process does not know. */
  readonly #gaps = new Map<string, number>()
  readonly #lost = new Set<string>()
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(options: StreamWatchOptions) {
    this.#options = options
  }

  /** Something may have happened to the streams since they were compared. */
  get doubtful(): boolean {
    return this.#checkedAt === Number.NEGATIVE_INFINITY
  }

  /** How long the streams keep events, the longest of them; undefined as long as that is not known of all. */
  get keepMs(): number | undefined {
    const { types } = this.#options
    return this.#ages.size === types.length ? Math.max(0, ...this.#ages.values()) : undefined
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
      this.#gaps.clear()
      this.#lost.clear()
    } catch (err) {
      this.doubt()
      throw err
    }
  }

  /** Takes note of an acknowledgement; they come in the order in which their stream gave the numbers. */
  note(type: string, { sequence, duplicate }: PubAck): void {
    if (duplicate || this.#lost.has(type)) return
    const last = this.#last.get(type) ?? 0
    if (sequence <= last) this.#lose(type, sequence)
    else {
      // After another relay's turn, only the store knows the last number.
      if (sequence > last + 1 && !this.#gaps.has(type)) this.#gaps.set(type, sequence)
      this.#last.set(type, sequence)
    }
  }

  /** The types whose streams have lost messages, as the acknowledgements of this turn show; until they are compared. */
  async lost(): Promise<ReadonlySet<string>> {
    for (const [type, sequence] of [...this.#gaps]) {
      const recorded = await this.#options.store.streamState(type)
      this.#gaps.delete(type)
      if (sequence <= (recorded?.lastSequence ?? 0)) this.#lose(type, sequence)
    }
    return this.#lost
  }

  #lose(type: string, sequence: number): void {
    this.#lost.add(type)
    this.#restored.set(type, sequence - 1)
    this.doubt()
  }

  async #compare(type: string): Promise<void> {
    const { store, streamOf, log } = this.#options
    // First: other relays may send meanwhile, so the stream has at least what is recorded.
    const recorded = await store.streamState(type)
    const { created, state, config } = await streamOf(type)
    // Without an age, for ever.
    this.#ages.set(type, config.max_age ? config.max_age / 1e6 : Number.POSITIVE_INFINITY)
    const kept = Math.min(state.last_seq, this.#restored.get(type) ?? Number.POSITIVE_INFINITY)
    const isOther = recorded && recorded.created !== created
    const isShorter = recorded && kept < recorded.lastSequence
    const again = isOther || isShorter ? { resendAfter: isOther ? 0 : kept } : undefined
    // Otherwise only sent events raise the record: what another relay is sending would look like numbers that were given before.
    const lastSequence = again ? state.last_seq : (recorded?.lastSequence ?? 0)
    const events = await store.recordStream(type, { created, lastSequence }, again)
    if (again) log.warn({ type, events }, 'a stream has lost events: they are sent again')
    this.#last.set(type, state.last_seq)
    this.#restored.delete(type)
  }
}
