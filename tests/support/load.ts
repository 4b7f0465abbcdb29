import { Agent } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, type Sent, send } from './send.ts'

/** A request of a load. */
export interface LoadRequest {
  readonly route: string
  readonly sent: Sent
}

/** Its outcome: an answer, or a connection error. */
export interface Outcome {
  readonly route: string
  readonly status: number | string
  readonly text: string
}

/** Without a pause, the load would take CPU time from what is being tested under it, such as a starting process. */
const PAUSE_MS = 40

/** Callers on persistent connections that send one request after another until they are stopped. */
export class Load {
  readonly outcomes: Outcome[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #work: Promise<unknown>
  #stopping = false
  #count = 0

  /** @param next returns the request with this unique number */
  constructor(url: string, callers: number, next: (number: number) => LoadRequest) {
    const caller = async () => {
      while (!this.#stopping) {
        const { route, sent } = next(this.#count++)
        const outcome = await send(url, route, { ...sent, agent: this.#agent }).then(
          ({ status, text }: Answer) => ({ route, status, text }),
          (error: Error) => ({ route, status: error.message, text: '' }),
        )
        this.outcomes.push(outcome)
        await pause(PAUSE_MS)
      }
    }
    this.#work = Promise.all(Array.from({ length: callers }, caller))
  }

  /** The outcomes other than 200 and 201. */
  get failed(): readonly Outcome[] {
    return this.outcomes.filter(({ status }) => status !== 200 && status !== 201)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#work
    this.#agent.destroy()
  }
}
