import type { ApiKey } from '@blog-platform/auth-contract'
import type { StoredApiKey } from './model.ts'

export function apiKeyOf({ id, comment, permissions, createdAt, expiresAt, revokedAt }: StoredApiKey): ApiKey {
  return {
    id,
    comment,
    permissions: [...permissions],
    createdAt: createdAt.toISOString(),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    ...(revokedAt && { revokedAt: revokedAt.toISOString() }),
  }
}
