import { TOO_MANY_REQUESTS } from 'tsmicro'
import type { RunInTransaction } from '../../database/connection.ts'
import { countersOf, type SignInCounters, type SignInLimits } from './counters.ts'
import type { SignInCountRepository } from './repository.ts'
import { Turns } from './turns.ts'

export interface SignInThrottleParts {
  readonly counts: SignInCountRepository
  readonly limits: SignInLimits
  readonly transaction: RunInTransaction
}

/**
 * Slows the guessing of passwords down, in the database, so that it holds across instances and restarts. It knows no
 * accounts, only what is asked for: it tells nobody who has one.
 */
export class SignInThrottle {
  readonly #parts: SignInThrottleParts
  /** The attempts of one pair take turns, so that many good ones at the same time are not taken for bad ones. */
  readonly #turns = new Turns()

  constructor(parts: SignInThrottleParts) {
    this.#parts = parts
  }

  /**
   * Runs a check of credentials, which answers `undefined` when they are wrong. It is counted before it runs: many at the
   * same time get no further than one after the other. What succeeds or could not be decided is not counted.
   * @param signal ends the waiting for its turn
   * @throws {TOO_MANY_REQUESTS} instead of running it
   */
  attempt<T>(
    account: string,
    address: string,
    check: () => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const counters = countersOf(account, address, this.#parts.limits)
    const task = async () => {
      await this.#count(counters)
      const result = await check().catch(error => this.#forget(counters, error))
      if (result !== undefined) await this.#succeed(counters)
      return result
    }
    return this.#turns.run(counters.pair.key.toString('base64'), task, signal)
  }

  async #count({ pair, account, address }: SignInCounters): Promise<void> {
    const { counts, transaction } = this.#parts
    const counters = [pair, account, address]
    // All or none: what is refused by one limit must not use up the others, or one address could lock an account.
    await transaction(async db => {
      const counted = await counts.add(counters, 1, db)
      const over = counted.filter(({ key, count }) => counters.some(each => each.key.equals(key) && count > each.limit))
      if (over.length === 0) return
      const retryAfterSeconds = Math.max(1, ...over.map(({ secondsLeft }) => secondsLeft))
      throw new TOO_MANY_REQUESTS(undefined, {
        message: 'Too many failed sign-ins, try again later',
        retryAfterSeconds,
      })
    })
    await counts.deleteEnded()
  }

  async #succeed({ pair, account, address }: SignInCounters): Promise<void> {
    await this.#parts.counts.reset(pair)
    await this.#parts.counts.add([account, address], -1)
  }

  /** Rethrows: a count that stays too high until its window ends is a lesser evil than another error than the first. */
  async #forget({ pair, account, address }: SignInCounters, error: unknown): Promise<never> {
    await this.#parts.counts.add([pair, account, address], -1).catch(() => undefined)
    throw error
  }
}
