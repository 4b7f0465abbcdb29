import { TOO_MANY_REQUESTS } from 'tsmicro'
import type { RunInTransaction } from '../../database.ts'
import { type Counter, countersOf, knownPlaceCounter, placeOf, type SignInLimits, signUpCounter } from './counters.ts'
import { KeyedQueue } from './keyed-queue.ts'
import type { Origin } from './origin.ts'
import type { SignInThrottleRepository } from './repository.ts'

/**
 * Slows down the guessing of passwords. It counts in the database, so that limits hold across instances and restarts. It does
 * not reveal who has an account: attempts on accounts that do not exist are counted in the same way.
 */
export class SignInThrottle {
  readonly #repository: SignInThrottleRepository
  readonly #limits: SignInLimits
  readonly #transaction: RunInTransaction
  /** Attempts of one pair run one at a time, so that many valid ones at once do not exceed the limit of failed ones. */
  readonly #queue = new KeyedQueue()

  constructor(repository: SignInThrottleRepository, limits: SignInLimits, transaction: RunInTransaction) {
    this.#repository = repository
    this.#limits = limits
    this.#transaction = transaction
  }

  /**
   * Runs a check of credentials, which returns undefined if they are wrong. It is counted before it runs, so that many
   * concurrent attempts get no further than consecutive ones. A check that succeeds or fails to decide is not counted.
   * @param check gets the requester whose share of the work this is: the address, or the account's known place there, which a
   * crowd behind the same address cannot crowd out
   * @param signal ends the wait in the queue
   * @throws {TOO_MANY_REQUESTS} instead of running it
   */
  async attempt<T>(
    account: string,
    origin: Origin,
    check: (requester: string) => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const isKnown = await this.#repository.isKnownPlace(account, placeOf(origin))
    const counters = (isKnown ? knownPlaceCounter : countersOf)(account, origin, this.#limits)
    const [own, ...wide] = counters
    const key = own.key.toString('base64')
    const task = async () => {
      await this.#count(counters, 'Too many failed sign-ins, try again later')
      const result = await check(isKnown ? key : origin.address).catch(error => this.#uncount(counters, error))
      if (result !== undefined) {
        await this.#repository.reset(own)
        if (wide.length > 0) await this.#repository.add(wide, -1)
      }
      return result
    }
    return this.#queue.run(key, task, signal)
  }

  /**
   * Runs a sign-up, which takes as much work as a sign-in. Refused ones count as well, because they reveal who has an account.
   * @param isRefusal whether an error is the answer to the sign-up, rather than a fault of ours
   * @throws {TOO_MANY_REQUESTS} instead of running it
   */
  async signUp<T>(origin: Origin, run: () => Promise<T>, isRefusal: (error: unknown) => boolean): Promise<T> {
    const counters = [signUpCounter(origin, this.#limits)]
    await this.#count(counters, 'Too many sign-ups, try again later')
    return run().catch(error => (isRefusal(error) ? Promise.reject(error) : this.#uncount(counters, error)))
  }

  /** From now on the account's owner can sign in from there, whatever others try. */
  remember(userId: string, origin: Origin): Promise<void> {
    return this.#repository.rememberPlace(userId, placeOf(origin))
  }

  async #count(counters: readonly Counter[], message: string): Promise<void> {
    // All or none: an attempt refused by one limit must not use up the others, or one address could lock an account.
    await this.#transaction(async db => {
      const counted = await this.#repository.add(counters, 1, db)
      const over = counted.filter(({ key, count }) => counters.some(each => each.key.equals(key) && count > each.limit))
      if (over.length === 0) return
      const retryAfterSeconds = Math.max(1, ...over.map(({ secondsLeft }) => secondsLeft))
      throw new TOO_MANY_REQUESTS(undefined, { message, retryAfterSeconds })
    })
    await this.#repository.deleteExpired()
  }

  /** Rethrows the error. If this fails too, a count that is too high until its window ends is better than hiding that error. */
  async #uncount(counters: readonly Counter[], error: unknown): Promise<never> {
    await this.#repository.add(counters, -1).catch(() => undefined)
    throw error
  }
}
