import { hash } from 'node:crypto'
import { signingKeys } from '@blog-platform/auth-contract'
import { type Implementation, implement, reply } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'

/** The longest that a withdrawn key may still count for verifiers that only read the published keys. */
const LONGEST_SECONDS = 300

/**
 * Publishes the keys that verify tokens. They may be kept for half the time that a new key is published before it signs: whoever does so always
 * has the key that signs, even if an instance takes the other half to learn of it.
 */
export function signingKeyHandlers(
  keyRing: Pick<RotatingKeyRing, 'jwks'>,
  { activationSeconds }: { readonly activationSeconds: number },
): Implementation {
  const seconds = Math.min(LONGEST_SECONDS, Math.floor(activationSeconds / 2))
  const caching = `public, max-age=${seconds}`
  return implement(signingKeys, {
    jwks: () => {
      const set = keyRing.jwks()
      // A kid is the thumbprint of its key.
      const version = hash('sha256', set.keys.map(({ kid }) => kid).join(), 'base64url')
      return reply(set, { headers: { 'cache-control': caching, etag: `"${version}"` } })
    },
  })
}
