import { setTimeout as pause } from 'node:timers/promises'
import type { Answer } from './send.ts'

const isDone = ({ status }: Answer) => status === 200 || status === 201

/** Concurrent callers that write one thing after another until they are stopped. */
export class Writers {
  readonly answers: Answer[] = []
  readonly #work: Promise<unknown>
  #stopping = false
  #count = 0

  /** @param write gets a unique number each time */
  constructor(callers: number, write: (number: number) => Promise<Answer>) {
    const caller = async () => {
      while (!this.#stopping) {
        const answer = await write(this.#count++)
        this.answers.push(answer)
        // Creates load, but leaves CPU time for restarting processes; refusals come at once.
        await pause(isDone(answer) ? 30 : 100)
      }
    }
    this.#work = Promise.all(Array.from({ length: callers }, caller))
    this.#work.catch(() => {})
  }

  get acknowledged(): readonly Answer[] {
    return this.answers.filter(isDone)
  }

  get refused(): readonly Answer[] {
    return this.answers.filter(answer => !isDone(answer))
  }

  /** Resolves when every caller has received its last answer. @throws if one of them got none */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
  }
}
