/** The headers that tell a service whose key it was, and what that key permits: words, joined by commas. */
export const CONSUMER_ID = 'x-consumer-id'
export const CONSUMER_PERMISSIONS = 'x-consumer-permissions'

const GATEWAY_PREFIXES = [
  'x-consumer-',
  'x-credential-',
  'x-anonymous-consumer',
  'x-gateway-signature',
  'x-verify-secret',
]

/**
 * Whether only the gateway may set this header, which tells a service who the caller is, or that it is the gateway: from a client it
 * is a forgery. Underscores count as dashes, because some frameworks do not distinguish `x_consumer_id` from `x-consumer-id`. The name
 * in lower case.
 */
export function isGatewayHeader(name: string): boolean {
  if (!name.startsWith('x')) return false
  for (const prefix of GATEWAY_PREFIXES) if (startsWithDashed(name, prefix)) return true
  return false
}

function startsWithDashed(name: string, prefix: string): boolean {
  for (let i = 0; i < prefix.length; i++) {
    const char = name.charAt(i)
    if ((char === '_' ? '-' : char) !== prefix.charAt(i)) return false
  }
  return true
}

/** Whether a client's x-request-id is used. Otherwise the gateway uses its own. */
export function isRequestId(text: string): boolean {
  return isWord(text, 128)
}

/**
 * Whether a text consists of 1 to `longest` letters, digits and `_ . : -`, so that it can be used in a header, a comma-separated list
 * and a log line as it is.
 */
export function isWord(text: string, longest: number): boolean {
  if (text.length < 1 || text.length > longest) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isAlphanumeric(code) && code !== 95 && code !== 46 && code !== 58 && code !== 45) return false
  }
  return true
}

export function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}
