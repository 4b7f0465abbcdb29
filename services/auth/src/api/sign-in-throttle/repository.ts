import { sql } from 'kysely'
import type { Connection } from '../../database.ts'
import type { Counter } from './counters.ts'

/** Expired counts that each attempt deletes: more than are added, so they cannot pile up. */
const CLEAN_UP = 10

/** Places remembered for each user. The oldest ones are forgotten. */
const PLACES_PER_USER = 20

export interface Count {
  readonly key: Buffer
  readonly count: number
  readonly secondsLeft: number
}

/** The only code that reads and writes counts of sign-ins, and the places where users have signed in. */
export class SignInThrottleRepository {
  readonly #db: Connection
  readonly #windowSeconds: number

  constructor(db: Connection, windowSeconds: number) {
    this.#db = db
    this.#windowSeconds = windowSeconds
  }

  /**
   * Adds to counts, but never below 0. An expired count starts again. Rows are locked in the order given: always pass the
   * pair before the account before the address, so that no two transactions can wait for each other.
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

  async deleteExpired(): Promise<void> {
    const expired = this.#db
      .selectFrom('sign_in_attempts')
      .select('key')
      .where('ends_at', '<', sql<Date>`now()`)
      .orderBy('ends_at')
      .limit(CLEAN_UP)
      .forUpdate()
      .skipLocked()
    await this.#db.deleteFrom('sign_in_attempts').where('key', 'in', expired).execute()
  }

  /** Whether the account's owner has signed in from a place before; false if there is no such account. */
  async isKnownPlace(email: string, place: Buffer): Promise<boolean> {
    const row = await this.#db
      .selectFrom('sign_in_places')
      .innerJoin('users', 'users.id', 'sign_in_places.user_id')
      .select('users.id')
      .where('users.email', '=', email)
      .where('sign_in_places.place', '=', place)
      .executeTakeFirst()
    return row !== undefined
  }

  async rememberPlace(userId: string, place: Buffer): Promise<void> {
    await this.#db
      .insertInto('sign_in_places')
      .values({ user_id: userId, place })
      .onConflict(conflict => conflict.columns(['user_id', 'place']).doUpdateSet({ used_at: sql`now()` }))
      .execute()
    const surplus = this.#db
      .selectFrom('sign_in_places')
      .select('place')
      .where('user_id', '=', userId)
      .orderBy('used_at', 'desc')
      .offset(PLACES_PER_USER)
      .forUpdate()
      .skipLocked()
    await this.#db.deleteFrom('sign_in_places').where('user_id', '=', userId).where('place', 'in', surplus).execute()
  }
}
