/** Why a token was refused. */
export type TokenErrorReason =
  | 'malformed'
  | 'signature'
  | 'expired'
  | 'not-yet-valid'
  | 'issuer'
  | 'audience'
  | 'type'
  | 'unknown-key'
  | 'algorithm'

/**
 * A token that is not good. The reason is for the log and for decisions; a caller should only hear "401".
 *
 * @example
 * try {
 *   await verifier.verify('no token', { type: 'access' })
 * } catch (error) {
 *   if (!(error instanceof TokenError)) throw error
 *   error.reason // 'malformed'
 * }
 */
export class TokenError extends Error {
  readonly reason: TokenErrorReason

  constructor(reason: TokenErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TokenError'
    this.reason = reason
  }
}
