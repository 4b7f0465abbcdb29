import { rootMessage } from '../../errors/index.ts'

/** What the cache needs of a logger: pino's shape, and tsmicro's. */
export interface CacheLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Says a change of state once, however often it is found, and in one line: servers that go are no news of this program's. */
export class StateLog {
  readonly #log: CacheLog | undefined
  #last: string | undefined

  constructor(log: CacheLog | undefined) {
    this.#log = log
  }

  good(message: string): void {
    if (this.#turn(message)) this.#log?.info({}, message)
  }

  bad(message: string, error: unknown): void {
    if (this.#turn(message)) this.#log?.warn({}, `${message}: ${rootMessage(error)}`)
  }

  #turn(message: string): boolean {
    const changed = this.#last !== message
    this.#last = message
    return changed
  }
}
