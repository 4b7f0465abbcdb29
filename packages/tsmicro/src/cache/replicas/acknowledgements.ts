import { randomUUID } from 'node:crypto'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, settledWithin } from '../../errors/index.ts'
import type { TagsByCache } from '../tags.ts'
import type { Membership } from './membership.ts'
import { encodeMessage } from './message.ts'
import type { CacheBus, RegistryState, ReplicaRegistry } from './options.ts'

interface AcknowledgementsOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  readonly membership: Membership
  /** Milliseconds for the whole invalidation. */
  readonly limitMs: number
  /** Aborts when the store is closed. */
  readonly signal: AbortSignal
}

const LOOK_MS = 250
/** Longer than a busy process takes to answer; a member that is expelled loses what it has kept. */
const PATIENCE_MS = 1500

/** Collects the acknowledgements of one invalidation from all other members. */
export class Acknowledgements {
  readonly id = randomUUID()
  readonly #options: AcknowledgementsOptions
  readonly #text: string
  readonly #pending: Set<string>
  readonly #complete = Promise.withResolvers<void>()

  /** @param state read after the change that made the tags stale */
  constructor(options: AcknowledgementsOptions, state: RegistryState, tags: TagsByCache) {
    this.#options = options
    const others = [...state.members.keys()].filter(id => !options.membership.owns(id))
    this.#pending = new Set(others)
    this.#text = encodeMessage({
      ...{ type: 'forget', round: this.id, from: options.membership.name },
      ...{ generation: state.generation.number, marks: tags },
    } as const)
  }

  done(member: string): void {
    if (this.#pending.delete(member) && this.#pending.size === 0) this.#complete.resolve()
  }

  /**
   * Resolves when every member has answered, has left, or can no longer serve because its lease has certainly ended. A member
   * that keeps renewing without an answer is expelled, which prevents further renewals.
   *
   * @throws {DEADLINE_EXCEEDED} if that takes too long: neither the members nor the registry can be reached
   * @throws {SERVICE_UNAVAILABLE} if the store is closed in the meantime
   */
  async collect(): Promise<void> {
    const began = performance.now()
    const { limitMs, signal } = this.#options
    const cause = new Error('it is not certain that all replicas have forgotten')
    while (this.#pending.size > 0) {
      const spent = performance.now() - began
      if (spent > limitMs) throw new DEADLINE_EXCEEDED(undefined, { cause })
      if (signal.aborted) throw new SERVICE_UNAVAILABLE(undefined, { cause })
      this.#send()
      await settledWithin(LOOK_MS, this.#complete.promise)
      if (this.#pending.size > 0) await this.#checkLeases(spent + LOOK_MS > PATIENCE_MS)
    }
  }

  #send(): void {
    try {
      this.#options.bus.send(this.#text)
    } catch {
      // Nobody will answer, so the leases decide.
    }
  }

  async #checkLeases(expel: boolean): Promise<void> {
    const { registry, membership } = this.#options
    const askedAt = performance.now()
    try {
      const state = await (expel ? registry.putOut([...this.#pending]) : registry.read())
      membership.observe(state)
      for (const id of this.#pending) if (membership.others.hasEnded(id, state, askedAt)) this.#pending.delete(id)
    } catch {
      // Answers may still arrive; the time is limited.
    }
  }
}
