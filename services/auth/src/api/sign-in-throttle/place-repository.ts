import { sql } from 'kysely'
import type { Connection } from '../../database/connection.ts'

/** Places by which a user is known; the oldest ones are forgotten. */
const PER_USER = 20

/** The only code that reads and writes where users have signed in. */
export class SignInPlaceRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  /** Whether the account was signed in to from there; false for an account that nobody has. */
  async isKnown(email: string, place: Buffer): Promise<boolean> {
    const row = await this.#db
      .selectFrom('sign_in_places')
      .innerJoin('users', 'users.id', 'sign_in_places.user_id')
      .select('users.id')
      .where('users.email', '=', email)
      .where('sign_in_places.place', '=', place)
      .executeTakeFirst()
    return row !== undefined
  }

  async remember(userId: string, place: Buffer): Promise<void> {
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
      .offset(PER_USER)
      .forUpdate()
      .skipLocked()
    await this.#db.deleteFrom('sign_in_places').where('user_id', '=', userId).where('place', 'in', surplus).execute()
  }
}
