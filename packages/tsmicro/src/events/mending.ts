import { rootMessage } from '../errors/index.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'
import type { Handling } from './handling.ts'
import type { Order } from './order.ts'

/** Whether to go on with the next letter. What is left is mended by calling again. */
type GoOn = () => boolean

const ALWAYS: GoOn = () => true

interface MendingParts {
  readonly letters: DeadLetters
  /** Tries before a letter waits for an operator. */
  readonly triesOf: (subject: string) => number
  readonly order: Order
  readonly handling: Handling
}

/** Handles dead letters again. Whatever it returns says why an aggregate cannot go on; undefined if it can. */
export class Mending {
  readonly #parts: MendingParts
  /** By its number in the stream: how often a letter has failed that was kept without having been tried. */
  readonly #tries = new Map<number, number>()

  constructor(parts: MendingParts) {
    this.#parts = parts
  }

  /**
   * Handles the dead letters of an aggregate in their order, as far as their turn has come.
   * @param byHand also those that were tried in vain
   */
  async resume(aggregateId: string, byHand: boolean, goOn = ALWAYS): Promise<string | undefined> {
    const { letters, order } = this.#parts
    for (;;) {
      const found = await letters.of(aggregateId)
      if (found.length === 0) {
        letters.parked.delete(aggregateId)
        return undefined
      }
      for (const letter of found) {
        const verdict = await order.judge(letter)
        if (verdict !== 'duplicate' && !byHand && letter.tries > 0) return letter.error
        if (verdict === 'early' && !order.giveUp(letter)) return letter.error
        const failure = verdict === 'duplicate' ? await letters.skip(letter) : await this.#handle(letter)
        if (failure !== undefined || !goOn()) return failure
      }
    }
  }

  /** Handles a letter that was skipped, unless a later event of its aggregate was handled. */
  async retrySkipped(letter: DeadLetter): Promise<string | undefined> {
    const verdict = await this.#parts.order.judge(letter)
    if (verdict === 'next') return this.#handle(letter)
    if (verdict === 'early')
      return `event ${letter.number} was skipped, and those before it are not handled yet: try again later`
    return `event ${letter.number} was skipped, and its aggregate has gone on: newer state wins`
  }

  /** No longer waits for the first dead letter of an aggregate, and goes on with those behind it. @param id the letter's, if it is known */
  async skip(aggregateId: string, id?: string, goOn = ALWAYS): Promise<string | undefined> {
    const { letters, order, handling } = this.#parts
    const [letter] = await letters.of(aggregateId)
    if (letter && id !== undefined && letter.id !== id) return `event ${letter.id} waits before it`
    if (letter && (await order.judge(letter)) !== 'duplicate') {
      order.giveUp(letter)
      const failure = await handling.pass(letter)
      if (failure) return rootMessage(failure.error)
    }
    if (letter) await letters.skip(letter)
    return this.resume(aggregateId, false, goOn)
  }

  async #handle(letter: DeadLetter): Promise<string | undefined> {
    const { letters, handling, triesOf } = this.#parts
    const { sequence, subject } = letter
    const failure = await handling.once(letter)
    if (!failure) await letters.remove(letter)
    else if (failure.counts && letter.tries === 0) {
      const tries = (this.#tries.get(sequence) ?? 0) + 1
      this.#tries.set(sequence, tries)
      if (tries < triesOf(subject)) return rootMessage(failure.error)
      await letters.blame(letter, failure.error, tries)
    }
    this.#tries.delete(sequence)
    return failure && rootMessage(failure.error)
  }
}
