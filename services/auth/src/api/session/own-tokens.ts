import { type TokenClaims, TokenError, type TokenVerifier } from 'tsmicro/auth'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Tokens of this service name rows by UUID. One that does not was made by other software with the same key: it is refused
 * here, as the database would fail over it.
 */
export function ownTokensOnly(verifier: TokenVerifier): TokenVerifier {
  return {
    async verify(token, options): Promise<TokenClaims> {
      const claims = await verifier.verify(token, options)
      const { subject, sessionId, id } = claims
      if ([subject, sessionId, id].every(name => UUID.test(name))) return claims
      throw new TokenError('malformed', 'the token names no user, session or id of ours')
    },
  }
}
