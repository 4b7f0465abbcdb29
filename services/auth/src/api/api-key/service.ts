import { randomBytes } from 'node:crypto'
import {
  API_KEY_INVALID,
  API_KEY_NOT_FOUND,
  type ApiKey,
  type ApiKeyVerification,
  type CreatedApiKey,
  LAST_API_KEY,
  type NewApiKey,
} from '@blog-platform/auth-contract'
import { VALIDATION_FAILED } from 'tsmicro'
import type { RunInTransaction } from '../../database.ts'
import type { ApiKeyRepository } from './repository.ts'

/** Verifies API keys for the gateway, and manages them for administrators. */
export class ApiKeyService {
  readonly #keys: ApiKeyRepository
  readonly #transaction: RunInTransaction

  constructor(keys: ApiKeyRepository, transaction: RunInTransaction) {
    this.#keys = keys
    this.#transaction = transaction
  }

  async verify(key: string): Promise<ApiKeyVerification> {
    const found = await this.#keys.findValid(key)
    return found ? { valid: true, id: found.id, permissions: found.permissions } : { valid: false }
  }

  /** @throws {API_KEY_INVALID} if there is no key, or it is unknown, revoked or expired */
  async requireValid(key: string | undefined): Promise<void> {
    if (key === undefined || !(await this.#keys.findValid(key))) throw new API_KEY_INVALID()
  }

  /** @throws {VALIDATION_FAILED} if the expiry is in the past */
  async create({ comment, permissions, expiresAt }: NewApiKey): Promise<CreatedApiKey> {
    const key = generateApiKey()
    const stored = await this.#keys.create({ key, comment, permissions, expiresAt: futureTime(expiresAt) })
    if (!stored) throw new Error('a newly generated key already exists')
    return { ...stored, key }
  }

  /** @throws {API_KEY_NOT_FOUND} @throws {LAST_API_KEY} if it is the last valid key that may write */
  async revoke(id: string): Promise<void> {
    const found = await this.#transaction(async db => {
      await this.#keys.lockRevocations(db)
      // Without a key nobody can sign in to make a new one. A key that is already invalid may always be revoked.
      if ((await this.#keys.isValid(id, db)) && !(await this.#keys.hasOtherWriter(id, db))) throw new LAST_API_KEY()
      return this.#keys.revoke(id, db)
    })
    if (!found) throw new API_KEY_NOT_FOUND()
  }

  list(page: number, limit: number): Promise<ApiKey[]> {
    return this.#keys.list(page, limit)
  }
}

/** The prefix lets scanners of repositories and logs recognize leaked keys. 32 random bytes cannot be guessed, hashed or not. */
export function generateApiKey(): string {
  return `tsmk_${randomBytes(32).toString('base64url')}`
}

function futureTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  // The format allows leap seconds, which Date does not; a year of more than four digits could not be written in the format.
  if (time.getTime() > Date.now() && time.getUTCFullYear() < 10_000) return time
  throw new VALIDATION_FAILED([{ path: 'expiresAt', message: 'must be in the future' }])
}
