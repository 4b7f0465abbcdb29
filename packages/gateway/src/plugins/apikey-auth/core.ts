/*
 * The decisions of the API-key check, without I/O: what to look up, and what a verdict means for the client.
 * Pure and plain on purpose (no regular expressions, no platform API), so that the same file can be compiled to Lua for
 * Kong. Every comparison is explicit because "" and 0 are truthy there.
 */

export type KeyReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'key'; readonly key: string }

/** `forbidden` is a good key without the permission; `unknown` is the verifier's failure, never the client's. */
export type Verdict = 'valid' | 'invalid' | 'forbidden' | 'unknown'

/** The members of the verifier's JSON body; undefined where there is none, or no such body. */
export interface VerifierBody {
  readonly valid: unknown
  readonly permitted: unknown
}

export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly message: string
  readonly error: 'API_KEY_REQUIRED' | 'API_KEY_INVALID' | 'API_KEY_FORBIDDEN' | 'SERVICE_UNAVAILABLE'
}

export const KEY_HEADER = 'x-api-key'
const MAX_KEY_LENGTH = 200

export const KEY_REQUIRED: Refusal = { status: 401, message: 'API key required', error: 'API_KEY_REQUIRED' }
export const KEY_INVALID: Refusal = { status: 401, message: 'Invalid API key', error: 'API_KEY_INVALID' }
export const KEY_FORBIDDEN: Refusal = {
  status: 403,
  message: 'This API key does not permit that',
  error: 'API_KEY_FORBIDDEN',
}
export const UNVERIFIED: Refusal = {
  status: 503,
  message: 'The API key cannot be verified right now',
  error: 'SERVICE_UNAVAILABLE',
}

/** The key of a request, from all values of the header. A key is 1 to 200 visible ASCII characters, sent once. */
export function readKey(values: readonly string[]): KeyReading {
  if (values.length === 0) return { kind: 'missing' }
  if (values.length > 1) return { kind: 'malformed' }
  const key = values[0]
  if (key === undefined || key === '') return { kind: 'missing' }
  if (key.length > MAX_KEY_LENGTH) return { kind: 'malformed' }
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code < 33 || code > 126) return { kind: 'malformed' }
  }
  return { kind: 'key', key }
}

/**
 * What the verifier's answer says. When a permission was asked for, a yes must say `permitted` too: a verifier that does
 * not know the question has not answered it.
 */
export function readVerdict(status: number, { valid, permitted }: VerifierBody, permissionAsked: boolean): Verdict {
  if (status === 401) return 'invalid'
  if (status !== 200) return 'unknown'
  if (valid === false) return 'invalid'
  if (valid !== true) return 'unknown'
  if (!permissionAsked || permitted === true) return 'valid'
  return permitted === false ? 'forbidden' : 'unknown'
}

/** The refusal that a verdict leads to; undefined lets the request pass. */
export function judge(verdict: Verdict): Refusal | undefined {
  if (verdict === 'valid') return undefined
  if (verdict === 'invalid') return KEY_INVALID
  if (verdict === 'forbidden') return KEY_FORBIDDEN
  return UNVERIFIED
}
