import { createHash } from 'node:crypto'
import type { RsaPublicJwk } from './jwk.ts'

/** RFC 7638: SHA-256 over the required members in alphabetical order, without spaces, base64url. */
export function thumbprint({ e, kty, n }: RsaPublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')
}
