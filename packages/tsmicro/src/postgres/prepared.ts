import { createHash } from 'node:crypto'
import { codeOf } from './errors.ts'

/** So often a statement has come when it gets a name: what is put together for one request never does. */
const OFTEN = 5
/** Each connection keeps what it has prepared; so many at most, with those whose plan got stale. */
const MOST_NAMES = 200
const MOST_COUNTED = 1000
const PREFIX = 'tsmicro_'

/**
 * Which statements of a pool are prepared: PostgreSQL then reads and plans them once a connection and not each time. A name is made of the
 * statement's text, so that it can mean nothing else, whoever shares a session.
 */
export class PreparedStatements {
  readonly #counts = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #log: { warn(fields: object, message: string): void } | undefined
  #made = 0
  #off: boolean

  constructor(on: boolean, log?: { warn(fields: object, message: string): void }) {
    this.#off = !on
    this.#log = log
  }

  /** Undefined: it is sent as it is. */
  nameOf(sql: string): string | undefined {
    if (this.#off) return undefined
    const name = this.#names.get(sql)
    if (name !== undefined || this.#made >= MOST_NAMES) return name
    const count = (this.#counts.get(sql) ?? 0) + 1
    if (count >= OFTEN) return this.#make(sql)
    if (this.#counts.size >= MOST_COUNTED) this.#counts.clear()
    this.#counts.set(sql, count)
    return undefined
  }

  /**
   * True when a failure was the name's and not the statement's, which then may be sent again without one. A statement whose
   * columns have changed gets another name; a session that lost its names (a pooler that was not told of) ends all of them.
   */
  learn(sql: string, error: unknown): boolean {
    if (isStalePlan(error)) {
      this.#names.delete(sql)
      if (this.#made < MOST_NAMES) this.#make(sql)
      return true
    }
    if (!(error instanceof Error) || !['26000', '42P05'].includes(codeOf(error)) || !error.message.includes(PREFIX))
      return false
    if (!this.#off) {
      this.#log?.warn(
        {},
        `PostgreSQL keeps no prepared statements, so none are made from now on (a pooler? set pooler): ${error.message}`,
      )
    }
    this.#off = true
    return true
  }

  #make(sql: string): string {
    this.#counts.delete(sql)
    this.#made++
    const name = `${PREFIX}${createHash('sha256').update(`${this.#made} ${sql}`).digest('hex').slice(0, 32)}`
    this.#names.set(sql, name)
    return name
  }
}

/** What a prepared `select *` says once after its table has got another column. */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof Error && codeOf(error) === '0A000' && error.message === 'cached plan must not change result type'
  )
}
