import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Connection } from '../../database/connection.ts'

/** The only code that reads and writes API keys; it keeps their hashes only. */
export class ApiKeyRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  /** Whether a key is known, not revoked and not expired. */
  async isValid(key: string): Promise<boolean> {
    const found = await this.#db
      .selectFrom('api_keys')
      .select('id')
      .where('key_hash', '=', hashOf(key))
      .where('revoked_at', 'is', null)
      .where(row => row.or([row('expires_at', 'is', null), row('expires_at', '>', sql<Date>`now()`)]))
      .executeTakeFirst()
    return found !== undefined
  }

  /** Does nothing when the key is there already. */
  async create(key: string, comment: string): Promise<void> {
    await this.#db
      .insertInto('api_keys')
      .values({ key_hash: hashOf(key), comment })
      .onConflict(conflict => conflict.constraint('api_keys_key_hash_key').doNothing())
      .execute()
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
