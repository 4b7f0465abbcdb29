import { signingKeys } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'

/** Publishes the keys that verify tokens. */
export function signingKeyHandlers(keyRing: Pick<RotatingKeyRing, 'jwks'>): Implementation {
  return implement(signingKeys, { jwks: () => keyRing.jwks() })
}
