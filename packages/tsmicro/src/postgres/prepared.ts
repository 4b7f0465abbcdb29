import { createHash } from 'node:crypto'
import { codeOf } from './errors.ts'

/** A statement gets a name when it is sent this often; a statement composed for one request never does. */
const OFTEN = 5
/** Each connection keeps what it has prepared. This limit includes statements whose plan became stale. */
const MOST_NAMES = 200
const MOST_COUNTED = 1000
const PREFIX = 'tsmicro_'

/**
 * Decides which statements of a pool are prepared: PostgreSQL then parses and plans them once per connection instead of each
 * time. A name is derived from the statement's text, so that it can't mean anything else, whoever shares a session.
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

  /** The name of a prepared statement; undefined if it is sent unprepared. */
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
   * True if the prepared name failed and not the statement itself, which may then be sent again without a name. A statement
   * whose columns have changed gets another name; if a session has lost its names (an undeclared pooler), no more are used.
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
        `PostgreSQL does not keep prepared statements, so they are no longer used (a pooler? set pooler): ${error.message}`,
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

/** The error of a prepared `select *` after its table got another column. */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof Error && codeOf(error) === '0A000' && error.message === 'cached plan must not change result type'
  )
}
