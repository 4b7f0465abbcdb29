import { AlreadyHandledError, type Attempt, type InboxKey, type InboxStore } from '../../src/stores/index.ts'

/** An effect as a test sees it. */
export interface Effect {
  readonly aggregateId: string
  readonly n: number
}

/** An inbox with its effects, shared by replicas as a database is. */
export class MemoryInbox implements InboxStore {
  readonly effect: InboxStore['effect']
  readonly rows = new Map<string, number>()
  /** When they were used; as if long ago if it is not known. */
  readonly usedAt = new Map<string, number>()
  readonly effects: Effect[] = []
  /** Thrown by everything that asks the database, as long as it is set. */
  down: Error | undefined
  readonly #attempts = new WeakMap<object, { attempt: Attempt; ended: boolean; recorded: boolean }>()

  constructor(effect: InboxStore['effect'] = 'postgres') {
    this.effect = effect
  }

  async prepare(): Promise<void> {}

  async read(keys: readonly InboxKey[]): Promise<readonly number[]> {
    await this.#roundTrip()
    for (const key of keys) this.usedAt.set(keyOf(key), Date.now())
    return keys.map(key => this.rows.get(keyOf(key)) ?? 0)
  }

  async advance(attempt: Attempt): Promise<boolean> {
    await this.#roundTrip()
    return this.#step(attempt)
  }

  begin(event: object, attempt: Attempt): void {
    this.#attempts.set(event, { attempt, ended: false, recorded: false })
  }

  /** A transaction with an effect and its record. */
  async record(event: object, n: number): Promise<void> {
    await this.#roundTrip()
    const state = this.#attempts.get(event)
    if (!state) throw new TypeError('not the event that the handler got')
    const { attempt, ended } = state
    if (ended || !this.#step(attempt)) throw new AlreadyHandledError(attempt)
    state.recorded = true
    this.effects.push({ aggregateId: attempt.aggregateId, n })
  }

  async end(event: object): Promise<boolean> {
    const state = this.#attempts.get(event)
    if (state) state.ended = true
    return state?.recorded ?? false
  }

  async forget({ consumer, type }: Omit<InboxKey, 'aggregateId'>, unusedSince: Date): Promise<void> {
    await this.#roundTrip()
    for (const key of this.rows.keys())
      if (key.startsWith(`${consumer} ${type} `) && (this.usedAt.get(key) ?? 0) < unusedSince.getTime())
        this.rows.delete(key)
  }

  async reset(consumer: string): Promise<void> {
    await this.#roundTrip()
    for (const key of this.rows.keys()) if (key.startsWith(`${consumer} `)) this.rows.delete(key)
  }

  /** The numbers of an aggregate's effects, in their order. */
  of(aggregateId: string): readonly number[] {
    return this.effects.filter(effect => effect.aggregateId === aggregateId).map(({ n }) => n)
  }

  async #roundTrip(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    if (this.down) throw this.down
  }

  #step(attempt: Attempt): boolean {
    const key = keyOf(attempt)
    const row = this.rows.get(key) ?? 0
    if (attempt.from !== attempt.to && row !== attempt.from) return false
    this.rows.set(key, Math.max(row, attempt.to))
    this.usedAt.set(key, Date.now())
    return true
  }
}

function keyOf({ consumer, type, aggregateId }: InboxKey): string {
  return `${consumer} ${type} ${aggregateId}`
}
