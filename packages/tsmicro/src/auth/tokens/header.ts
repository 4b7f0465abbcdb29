import { decodeProtectedHeader } from 'jose'
import { algorithm, headerTypes, type TokenType } from './claims.ts'
import { TokenError } from './token-error.ts'

/** Far above any token of ours (about 700 bytes), far below what would cost time to parse. */
const maxLength = 8192

/**
 * Looks at a token before any cryptography: its size, its form, and the three header members that may lead a verifier
 * astray (RFC 8725). @returns the `kid`
 */
export function readHeader(token: string, type: TokenType): string {
  if (typeof token !== 'string' || token.length > maxLength) throw new TokenError('malformed', 'the token is too long')
  // RFC 7515: three base64url parts. Checked here as decoders are lenient
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]*)$/.exec(token) ?? []
  // the last character of a signature holds 4 bits that mean nothing: one token should have one spelling
  if (signature === undefined || Buffer.from(signature, 'base64url').toString('base64url') !== signature) {
    throw new TokenError('malformed', 'the token is no JWT')
  }
  const { alg, typ, kid, crit, b64 } = decode(token)
  if (alg !== algorithm) throw new TokenError('algorithm', `the token is not signed with ${algorithm}`)
  if (typ !== headerTypes[type]) throw new TokenError('type', `the token is no ${type} token`)
  if (crit !== undefined || b64 !== undefined) throw new TokenError('malformed', 'the token asks for extensions')
  if (typeof kid !== 'string' || kid === '') throw new TokenError('malformed', 'the token names no key')
  return kid
}

function decode(token: string): ReturnType<typeof decodeProtectedHeader> {
  try {
    return decodeProtectedHeader(token)
  } catch (cause) {
    throw new TokenError('malformed', 'the header of the token cannot be read', { cause })
  }
}
