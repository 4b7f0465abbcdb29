import { setTimeout as pause } from 'node:timers/promises'
import type { Answer } from './send.ts'

/** Callers that write one thing after the other, at the same time, until they are told to stop. */
export class Writers {
  readonly answers: Answer[] = []
  readonly #work: Promise<unknown>
  #stopping = false
  #count = 0

  /** @param write gets a number of its own each time */
  constructor(callers: number, write: (number: number) => Promise<Answer>) {
    const caller = async () => {
      while (!this.#stopping) {
        const answer = await write(this.#count++)
        this.answers.push(answer)
        // A load, but not one that keeps the processor from those who start again; a refusal comes at once.
        await pause(answer.status === 200 ? 30 : 100)
      }
    }
    this.#work = Promise.all(Array.from({ length: callers }, caller))
    this.#work.catch(() => {})
  }

  get acknowledged(): readonly Answer[] {
    return this.answers.filter(({ status }) => status === 200)
  }

  get refused(): readonly Answer[] {
    return this.answers.filter(({ status }) => status !== 200)
  }

  /** Resolves when every caller has had its last answer. @throws when one of them got none */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
  }
}
