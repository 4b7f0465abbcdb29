import { sql } from 'kysely'
import type { Connection } from '../../database/connection.ts'
import type { Counter } from './counters.ts'

/** Ended counts that go with each attempt: more than come, so they cannot pile up. */
const CLEAN_UP = 10

export interface Count {
  readonly key: Buffer
  readonly count: number
  readonly secondsLeft: number
}

/** The only code that reads and writes counts of sign-ins. */
export class SignInCountRepository {
  readonly #db: Connection
  readonly #windowSeconds: number

  constructor(db: Connection, windowSeconds: number) {
    this.#db = db
    this.#windowSeconds = windowSeconds
  }

  /**
   * Adds to counts, never below 0; a count that has ended begins anew. Locks in the order given: give the pair before the
   * account before the address, always, and no two can wait for each other.
   */
  async add(counters: readonly Counter[], change: 1 | -1, db: Connection = this.#db): Promise<readonly Count[]> {
    const fresh = Math.max(change, 0)
    const ends_at = sql<Date>`now() + make_interval(secs => ${this.#windowSeconds})`
    return db
      .insertInto('sign_in_attempts')
      .values(counters.map(({ key }) => ({ key, count: fresh, ends_at })))
      .onConflict(conflict =>
        conflict.column('key').doUpdateSet({
          count: sql`case when sign_in_attempts.ends_at <= now() then excluded.count
            else greatest(sign_in_attempts.count + ${change}, 0) end`,
          ends_at: sql`case when sign_in_attempts.ends_at <= now() then excluded.ends_at
            else sign_in_attempts.ends_at end`,
        }),
      )
      .returning(['key', 'count', sql<number>`ceil(extract(epoch from ends_at - now()))::int`.as('secondsLeft')])
      .execute()
  }

  async reset({ key }: Counter): Promise<void> {
    await this.#db.deleteFrom('sign_in_attempts').where('key', '=', key).execute()
  }

  async deleteEnded(): Promise<void> {
    const ended = this.#db
      .selectFrom('sign_in_attempts')
      .select('key')
      .where('ends_at', '<', sql<Date>`now()`)
      .orderBy('ends_at')
      .limit(CLEAN_UP)
      .forUpdate()
      .skipLocked()
    await this.#db.deleteFrom('sign_in_attempts').where('key', 'in', ended).execute()
  }
}
