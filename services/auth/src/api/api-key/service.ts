import {
  API_KEY_NOT_FOUND,
  type ApiKey,
  type CreatedApiKey,
  LAST_API_KEY,
  type NewApiKey,
} from '@blog-platform/auth-contract'
import { VALIDATION_FAILED } from 'tsmicro'
import type { RunInTransaction } from '../../database/connection.ts'
import type { ApiKeyAnnouncements } from './announcements.ts'
import { apiKeyOf } from './dto.ts'
import { generateApiKey } from './generate.ts'
import type { ApiKeyRepository } from './repository.ts'

/** What administrators do with API keys. */
export class ApiKeyAdministrationService {
  readonly #keys: ApiKeyRepository
  readonly #announcements: ApiKeyAnnouncements
  readonly #transaction: RunInTransaction

  constructor(keys: ApiKeyRepository, announcements: ApiKeyAnnouncements, transaction: RunInTransaction) {
    this.#keys = keys
    this.#announcements = announcements
    this.#transaction = transaction
  }

  /** @throws {VALIDATION_FAILED} when it is to expire in the past */
  async create({ comment, permissions, expiresAt }: NewApiKey): Promise<CreatedApiKey> {
    const key = generateApiKey()
    const stored = await this.#keys.create({ key, comment, permissions, expiresAt: futureTime(expiresAt) })
    if (!stored) throw new Error('a random key was there already')
    return { ...apiKeyOf(stored), key }
  }

  /** @throws {API_KEY_NOT_FOUND} @throws {LAST_API_KEY} when it is the last one that may write */
  async revoke(id: string): Promise<void> {
    const revoked = await this.#transaction(async db => {
      await this.#keys.lockRevocations(db)
      // Without a key nobody can sign in to make one. A key that is no longer good for anything may go in any case.
      if ((await this.#keys.isGood(id, db)) && !(await this.#keys.isOtherThatWrites(id, db))) throw new LAST_API_KEY()
      return this.#keys.revoke(id, db)
    })
    if (revoked === undefined) throw new API_KEY_NOT_FOUND()
    // Also when it was revoked before: who asks twice may have been told that the first time failed.
    await this.#announcements.revoked(revoked)
  }

  async list(page: number, limit: number): Promise<ApiKey[]> {
    return (await this.#keys.list(page, limit)).map(apiKeyOf)
  }
}

function futureTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  // A leap second fits the format and is no time for Date; a time past the last year of four digits fits no format.
  if (time.getTime() > Date.now() && time.getUTCFullYear() < 10_000) return time
  throw new VALIDATION_FAILED([{ path: 'expiresAt', message: 'must be in the future' }])
}
