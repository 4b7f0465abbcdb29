import { randomUUID } from 'node:crypto'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import type { MarksByCache } from '../marks.ts'
import type { CacheBus } from './bus.ts'
import type { Membership } from './membership.ts'
import { encodeMessage } from './message.ts'
import type { RegistryState, ReplicaRegistry } from './registry.ts'

export interface RoundOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  readonly membership: Membership
  /** Milliseconds for the whole. */
  readonly limitMs: number
  /** Aborts when the store is closed. */
  readonly signal: AbortSignal
}

const LOOK_MS = 250
/** Longer than a busy process takes to answer; one that is put out loses what it has kept. */
const PATIENCE_MS = 1500

/** Those who have to answer to one invalidation. */
export class Round {
  readonly id = randomUUID()
  readonly #options: RoundOptions
  readonly #text: string
  readonly #pending: Set<string>
  #wake: () => void = () => undefined

  /** @param state read after the change that is told of */
  constructor(options: RoundOptions, state: RegistryState, marks: MarksByCache) {
    this.#options = options
    const others = [...state.members.keys()].filter(id => !options.membership.owns(id))
    this.#pending = new Set(others)
    this.#text = encodeMessage({
      ...{ type: 'forget', round: this.id, from: options.membership.name },
      ...{ generation: state.generation.number, marks },
    } as const)
  }

  done(member: string): void {
    if (this.#pending.delete(member) && this.#pending.size === 0) this.#wake()
  }

  /**
   * Resolves when every member has answered, has left, or cannot serve any more: its lease has surely ended. One that goes
   * on renewing without an answer is put out, which ends that.
   *
   * @throws {DEADLINE_EXCEEDED} when that takes too long: neither members nor the registry can be reached
   * @throws {SERVICE_UNAVAILABLE} when the store is closed meanwhile
   */
  async settle(): Promise<void> {
    const began = performance.now()
    const { limitMs, signal } = this.#options
    const cause = new Error('it is not sure that all replicas have forgotten')
    while (this.#pending.size > 0) {
      const spent = performance.now() - began
      if (spent > limitMs) throw new DEADLINE_EXCEEDED(undefined, { cause })
      if (signal.aborted) throw new SERVICE_UNAVAILABLE(undefined, { cause })
      this.#send()
      await this.#answered(LOOK_MS)
      if (this.#pending.size > 0) await this.#look(spent + LOOK_MS > PATIENCE_MS)
    }
  }

  #send(): void {
    try {
      this.#options.bus.send(this.#text)
    } catch {
      // Then nobody answers, and leases decide.
    }
  }

  #answered(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.#pending.size === 0) this.#wake()
    })
  }

  async #look(putOut: boolean): Promise<void> {
    const { registry, membership } = this.#options
    const askedAt = performance.now()
    try {
      const state = await (putOut ? registry.putOut([...this.#pending]) : registry.read())
      membership.take(state)
      for (const id of this.#pending) if (membership.sightings.ended(id, state, askedAt)) this.#pending.delete(id)
    } catch {
      // Answers may still come; the time is limited.
    }
  }
}
