import { createHash } from 'node:crypto'
import type { ApiKeyPermission } from '@blog-platform/auth-contract'
import { type Selectable, sql } from 'kysely'
import type { Connection } from '../../database/connection.ts'
import type { ApiKeysTable } from '../../database/tables.ts'
import type { ApiKeyToStore, StoredApiKey } from './model.ts'

/** The only code that reads and writes API keys; it keeps their hashes only. */
export class ApiKeyRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  /** Which key it is and what it may do; `undefined` when it is unknown, revoked or expired. */
  async findGood(key: string): Promise<Pick<StoredApiKey, 'id' | 'permissions'> | undefined> {
    return await good(this.#db).select(['id', 'permissions']).where('key_hash', '=', hashOf(key)).executeTakeFirst()
  }

  /** Does nothing, and gives `undefined`, when the key is there already. */
  async create(apiKey: ApiKeyToStore, db: Connection = this.#db): Promise<StoredApiKey | undefined> {
    const { key, comment, permissions, expiresAt } = apiKey
    const row = await db
      .insertInto('api_keys')
      .values({ key_hash: hashOf(key), comment, permissions: [...permissions], expires_at: expiresAt ?? null })
      .onConflict(conflict => conflict.constraint('api_keys_key_hash_key').doNothing())
      .returning(COLUMNS)
      .executeTakeFirst()
    return row && toApiKey(row)
  }

  /** Newest first; pages count from 1. */
  async list(page: number, limit: number): Promise<readonly StoredApiKey[]> {
    const rows = await this.#db
      .selectFrom('api_keys')
      .select(COLUMNS)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .offset((page - 1) * limit)
      .limit(limit)
      .execute()
    return rows.map(toApiKey)
  }

  /** The key's id as it is kept, however it was written; `undefined` when there is no such key. Revoking again keeps the first time. */
  async revoke(id: string, db: Connection = this.#db): Promise<string | undefined> {
    const revoked = await db
      .updateTable('api_keys')
      .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst()
    return revoked?.id
  }

  /** Until the transaction ends no other one gets past this: what is left after a revocation is one decision. */
  async lockRevocations(db: Connection): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtextextended('api_keys: revocations', 0))`.execute(db)
  }

  /** Whether a key is neither revoked nor expired. */
  async isGood(id: string, db: Connection): Promise<boolean> {
    return (await good(db).select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  }

  /** Whether there is another good key to sign in with, and to make further ones. */
  async isOtherThatWrites(id: string, db: Connection): Promise<boolean> {
    const other = await good(db)
      .select('id')
      .where('id', '!=', id)
      .where('permissions', '@>', sql<ApiKeyPermission[]>`array['WRITE']`)
      .limit(1)
      .executeTakeFirst()
    return other !== undefined
  }
}

const COLUMNS = ['id', 'comment', 'permissions', 'created_at', 'expires_at', 'revoked_at'] as const

function good(db: Connection) {
  return db
    .selectFrom('api_keys')
    .where('revoked_at', 'is', null)
    .where(row => row.or([row('expires_at', 'is', null), row('expires_at', '>', sql<Date>`now()`)]))
}

type Row = Pick<Selectable<ApiKeysTable>, (typeof COLUMNS)[number]>

function toApiKey({ created_at, expires_at, revoked_at, ...row }: Row): StoredApiKey {
  return {
    ...row,
    createdAt: created_at,
    expiresAt: expires_at ?? undefined,
    revokedAt: revoked_at ?? undefined,
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
