import { keys } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'

/** Publishes the keys that verify tokens. */
export function keysHandlers(keyRing: Pick<RotatingKeyRing, 'jwks'>): Implementation {
  return implement(keys, { jwks: () => keyRing.jwks() })
}
