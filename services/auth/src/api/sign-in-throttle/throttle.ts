import { TOO_MANY_REQUESTS } from 'tsmicro'
import type { RunInTransaction } from '../../database/connection.ts'
import { type Counter, countersOf, knownPlaceCounter, placeOf, type SignInLimits, signUpCounter } from './counters.ts'
import type { Origin } from './origin.ts'
import type { SignInPlaceRepository } from './place-repository.ts'
import type { SignInCountRepository } from './repository.ts'
import { Turns } from './turns.ts'

export interface SignInThrottleParts {
  readonly counts: SignInCountRepository
  readonly places: SignInPlaceRepository
  readonly limits: SignInLimits
  readonly transaction: RunInTransaction
}

/**
 * Slows the guessing of passwords down, in the database, so that it holds across instances and restarts. It tells nobody who
 * has an account: an account that nobody has is counted like any other.
 */
export class SignInThrottle {
  readonly #parts: SignInThrottleParts
  /** The attempts of one pair take turns, so that many good ones at the same time are not taken for bad ones. */
  readonly #turns = new Turns()

  constructor(parts: SignInThrottleParts) {
    this.#parts = parts
  }

  /**
   * Runs a check of credentials, which answers `undefined` when they are wrong, and is given who asks: the address, or the
   * account's own place there, whose turns no crowd behind the same address takes. It is counted before it runs: many at the
   * same time get no further than one after the other. What succeeds or could not be decided is not counted.
   * @param signal ends the waiting for its turn
   * @throws {TOO_MANY_REQUESTS} instead of running it
   */
  async attempt<T>(
    account: string,
    origin: Origin,
    check: (asker: string) => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const { counts, places, limits } = this.#parts
    const isKnown = await places.isKnown(account, placeOf(origin))
    const [own, ...wide] = isKnown ? knownPlaceCounter(account, origin, limits) : countersOf(account, origin, limits)
    const counters = [own, ...wide]
    const asker = isKnown ? own.key.toString('base64') : origin.address
    const task = async () => {
      await this.#count(counters, 'Too many failed sign-ins, try again later')
      const result = await check(asker).catch(error => this.#forget(counters, error))
      if (result !== undefined) {
        await counts.reset(own)
        if (wide.length > 0) await counts.add(wide, -1)
      }
      return result
    }
    return this.#turns.run(own.key.toString('base64'), task, signal)
  }

  /**
   * Runs a sign-up, whose work is as hard as a sign-in's. Refused ones count as well, as they tell who has an account.
   * @param isDecided whether this failure is an answer, and not ours
   * @throws {TOO_MANY_REQUESTS} instead of running it
   */
  async signUp<T>(origin: Origin, run: () => Promise<T>, isDecided: (error: unknown) => boolean): Promise<T> {
    const counters = [signUpCounter(origin, this.#parts.limits)]
    await this.#count(counters, 'Too many sign-ups, try again later')
    return run().catch(error => (isDecided(error) ? Promise.reject(error) : this.#forget(counters, error)))
  }

  /** From there the account's owner is let in from now on, whatever others try. */
  remember(userId: string, origin: Origin): Promise<void> {
    return this.#parts.places.remember(userId, placeOf(origin))
  }

  async #count(counters: readonly Counter[], message: string): Promise<void> {
    const { counts, transaction } = this.#parts
    // All or none: what is refused by one limit must not use up the others, or one address could lock an account.
    await transaction(async db => {
      const counted = await counts.add(counters, 1, db)
      const over = counted.filter(({ key, count }) => counters.some(each => each.key.equals(key) && count > each.limit))
      if (over.length === 0) return
      const retryAfterSeconds = Math.max(1, ...over.map(({ secondsLeft }) => secondsLeft))
      throw new TOO_MANY_REQUESTS(undefined, { message, retryAfterSeconds })
    })
    await counts.deleteEnded()
  }

  /** Rethrows: a count that stays too high until its window ends is a lesser evil than another error than the first. */
  async #forget(counters: readonly Counter[], error: unknown): Promise<never> {
    await this.#parts.counts.add(counters, -1).catch(() => undefined)
    throw error
  }
}
