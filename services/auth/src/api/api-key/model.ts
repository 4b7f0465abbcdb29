import type { ApiKeyPermission } from '@blog-platform/auth-contract'

/** An API key as it is kept: the key itself is known to its holder only. */
export interface StoredApiKey {
  readonly id: string
  readonly comment: string
  readonly permissions: readonly ApiKeyPermission[]
  readonly createdAt: Date
  readonly expiresAt: Date | undefined
  readonly revokedAt: Date | undefined
}

export interface ApiKeyToStore {
  readonly key: string
  readonly comment: string
  readonly permissions: readonly ApiKeyPermission[]
  readonly expiresAt?: Date | undefined
}
