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
    if (this.#turn(message)) this.#say(log => log.info({}, message))
  }

  bad(message: string, error: unknown): void {
    if (this.#turn(message)) this.#say(log => log.warn({}, `${message}: ${rootMessage(error)}`))
  }

  /** It is said in timers and listeners, where a log that throws would end the process. */
  #say(line: (log: CacheLog) => void): void {
    try {
      if (this.#log) line(this.#log)
    } catch {
      // There is no other place to say so.
    }
  }

  #turn(message: string): boolean {
    const changed = this.#last !== message
    this.#last = message
    return changed
  }
}
