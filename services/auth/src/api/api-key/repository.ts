import { createHash } from 'node:crypto'
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
    return await this.#db
      .selectFrom('api_keys')
      .select(['id', 'permissions'])
      .where('key_hash', '=', hashOf(key))
      .where('revoked_at', 'is', null)
      .where(row => row.or([row('expires_at', 'is', null), row('expires_at', '>', sql<Date>`now()`)]))
      .executeTakeFirst()
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
  async revoke(id: string): Promise<string | undefined> {
    const revoked = await this.#db
      .updateTable('api_keys')
      .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst()
    return revoked?.id
  }
}

const COLUMNS = ['id', 'comment', 'permissions', 'created_at', 'expires_at', 'revoked_at'] as const

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
