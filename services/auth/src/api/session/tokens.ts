import type { Tokens } from '@blog-platform/auth-contract'
import { type TokenClaims, TokenError, type TokenSigner, type TokenVerifier } from 'tsmicro/auth'
import type { Session } from './model.ts'

/** In seconds. */
type TokenLifetimes = Readonly<Record<'access' | 'refresh', number>>

/** Signs the newest pair of a session. The same session yields the same pair, because signatures are deterministic. */
export class TokenPairs {
  readonly #signer: TokenSigner
  readonly #lifetimes: TokenLifetimes

  constructor(signer: TokenSigner, lifetimes: TokenLifetimes) {
    this.#signer = signer
    this.#lifetimes = lifetimes
  }

  async sign({ userId: subject, id: sessionId, accessId, refreshId, issuedAt, endsAt }: Session): Promise<Tokens> {
    const sign = (type: 'access' | 'refresh', id: string) => {
      // No token outlives its session.
      const expiresAt = Math.max(issuedAt + 1, Math.min(issuedAt + this.#lifetimes[type], endsAt))
      return this.#signer.sign({ subject, sessionId, issuedAt, type, id, expiresAt })
    }
    const [accessToken, refreshToken] = await Promise.all([sign('access', accessId), sign('refresh', refreshId)])
    return { accessToken, refreshToken }
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Refuses tokens whose ids are not UUIDs, on which the database would fail. This service never issues such tokens: other
 * software must have made them with the same key.
 */
export function ownTokensOnly(verifier: TokenVerifier): TokenVerifier {
  return {
    async verify(token, options): Promise<TokenClaims> {
      const claims = await verifier.verify(token, options)
      const { subject, sessionId, id } = claims
      if ([subject, sessionId, id].every(name => UUID.test(name))) return claims
      throw new TokenError('malformed', 'the token does not name a user, session and id of this service')
    },
  }
}
