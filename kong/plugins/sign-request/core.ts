/*
 * sign-request without I/O: what is signed, and in which form. Compiled to Lua for Kong, and used directly by the embedded gateway.
 * The services check the same text (packages/tsmicro, src/http/gateway.ts).
 */

/** Higher runs first, on Kong's scale. This plugin is the last one: it signs what the others have made of the request. */
export const PRIORITY = 10

export const SIGNATURE_HEADER = 'x-gateway-signature'

/** Services would refuse these headers from a client, but should not even see them. */
export const HIDDEN_HEADERS = [SIGNATURE_HEADER, 'x-verify-secret'] as const

/** In bytes. A shorter secret could be guessed from its signatures. */
export const SHORTEST_SECRET = 32

const SIGNED_HEADERS = [
  'x-request-id',
  'x-real-ip',
  'x-consumer-id',
  'x-consumer-permissions',
  'authorization',
] as const

/** A request as it goes to the service. Strings are bytes, one character each. */
export interface SignedCall {
  readonly method: string
  /** Path and query, as in the request line. */
  readonly target: string
  /** All values of a header field, in their order; the name in lower case. */
  valuesOf(this: void, name: string): readonly string[]
}

/** Returns the text for the HMAC-SHA-256: version, time, method, path with query and signed headers, joined by line feeds. */
export function textToSign(seconds: string, { method, target, valuesOf }: SignedCall): string {
  const parts = ['v1', seconds, method, target]
  for (const name of SIGNED_HEADERS) parts.push(asRead(name, valuesOf(name)))
  return parts.join('\n')
}

export function signatureOf(seconds: string, hex: string): string {
  return `v1.${seconds}.${hex}`
}

/** Returns a header as the service will read it: several values are joined, except that only the first `authorization` counts. */
function asRead(name: string, values: readonly string[]): string {
  return name === 'authorization' ? (values[0] ?? '') : values.join(', ')
}
