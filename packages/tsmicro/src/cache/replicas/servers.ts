import { rootMessage, SERVICE_UNAVAILABLE, unusableIn, within } from '../../errors/index.ts'

/** The part of a logger that the cache uses; those of pino and tsmicro fit. */
export interface CacheLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Logs each change of a server's state once, in one line. */
export class StateLog {
  readonly #log: CacheLog | undefined
  #last: string | undefined

  constructor(log: CacheLog | undefined) {
    this.#log = log
  }

  good(message: string): void {
    this.#write(message, log => log.info({}, message))
  }

  /** What waiting does not mend is written as well when another failure came before it. */
  bad(message: string, error: unknown): void {
    const line = `${message}: ${rootMessage(error)}`
    if (unusableIn(error)) this.#write(line, log => log.warn({}, line))
    else if (!this.#last?.startsWith(message)) this.#write(message, log => log.warn({}, line))
  }

  /** Called in timers and listeners, where a log that throws would end the process. */
  #write(state: string, line: (log: CacheLog) => void): void {
    if (this.#last === state) return
    this.#last = state
    try {
      if (this.#log) line(this.#log)
    } catch {
      // There is nowhere else to report it.
    }
  }
}

/** @throws {SERVICE_UNAVAILABLE} if a server takes longer to answer; the work itself goes on */
export function answerWithin<T>(ms: number, server: string, work: Promise<T>): Promise<T> {
  const late = () => new SERVICE_UNAVAILABLE(undefined, { cause: new Error(`${server}: no answer within ${ms} ms`) })
  return within(ms, work, late)
}
