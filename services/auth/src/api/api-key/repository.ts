import { createHash } from 'node:crypto'
import type { ApiKey, ApiKeyPermission } from '@blog-platform/auth-contract'
import { type Selectable, sql } from 'kysely'
import { compileQuery } from 'tsmicro/postgres'
import type { ApiKeysTable, Change, Connection } from '../../database.ts'
import type { Announcements } from '../announcements.ts'

export interface NewApiKeyRow {
  readonly key: string
  readonly comment: string
  readonly permissions: readonly ApiKeyPermission[]
  readonly expiresAt?: Date | undefined
}

/** The only code that reads and writes API keys. It stores only their hashes. */
export class ApiKeyRepository {
  readonly #db: Connection
  readonly #announcements: Announcements

  constructor(db: Connection, announcements: Announcements) {
    this.#db = db
    this.#announcements = announcements
  }

  /** Returns undefined if the key is unknown, revoked or expired. */
  async findValid(key: string): Promise<Pick<ApiKey, 'id' | 'permissions'> | undefined> {
    const [found] = await findByHash(this.#db, { hash: hashOf(key) })
    return found
  }

  /** Does nothing and returns undefined if the key already exists. */
  async create(apiKey: NewApiKeyRow, db: Connection = this.#db): Promise<ApiKey | undefined> {
    const { key, comment, permissions, expiresAt } = apiKey
    const row = await db
      .insertInto('api_keys')
      .values({ key_hash: hashOf(key), comment, permissions: [...permissions], expires_at: expiresAt ?? null })
      .onConflict(conflict => conflict.constraint('api_keys_key_hash_key').doNothing())
      .returning(COLUMNS)
      .executeTakeFirst()
    return row && toApiKey(row)
  }

  /** Newest first. Pages are numbered from 1. */
  async list(page: number, limit: number): Promise<ApiKey[]> {
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

  /** Returns false if there is no such key. Revoking one again changes and announces nothing. */
  async revoke(id: string, db: Change): Promise<boolean> {
    const revoked = await db
      .updateTable('api_keys')
      .set({ revoked_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst()
    if (revoked) await this.#announcements.apiKeyRevoked(revoked.id, db)
    return revoked !== undefined || (await this.#exists(id, db))
  }

  /** Lets only one transaction at a time decide which keys are left after a revocation. */
  async lockRevocations(db: Connection): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtextextended('api_keys: revocations', 0))`.execute(db)
  }

  /** Whether a key is neither revoked nor expired. */
  async isValid(id: string, db: Connection): Promise<boolean> {
    return (await valid(db).select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  }

  async #exists(id: string, db: Connection): Promise<boolean> {
    return (await db.selectFrom('api_keys').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  }

  /** Whether another valid key could be used to sign in and make new keys. */
  async hasOtherWriter(id: string, db: Connection): Promise<boolean> {
    const other = await valid(db)
      .select('id')
      .where('id', '!=', id)
      .where('permissions', '@>', sql<ApiKeyPermission[]>`array['WRITE']`)
      .limit(1)
      .executeTakeFirst()
    return other !== undefined
  }
}

const COLUMNS = ['id', 'comment', 'permissions', 'created_at', 'expires_at', 'revoked_at'] as const

function valid(db: Connection) {
  return db
    .selectFrom('api_keys')
    .where('revoked_at', 'is', null)
    .where(row => row.or([row('expires_at', 'is', null), row('expires_at', '>', sql<Date>`now()`)]))
}

const findByHash = compileQuery((db: Connection, { hash }: { hash: Buffer }) =>
  valid(db).select(['id', 'permissions']).where('key_hash', '=', hash),
)

type Row = Pick<Selectable<ApiKeysTable>, (typeof COLUMNS)[number]>

function toApiKey({ created_at, expires_at, revoked_at, ...row }: Row): ApiKey {
  return {
    ...row,
    createdAt: created_at.toISOString(),
    ...(expires_at && { expiresAt: expires_at.toISOString() }),
    ...(revoked_at && { revokedAt: revoked_at.toISOString() }),
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
