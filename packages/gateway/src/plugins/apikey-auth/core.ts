/*
 * The decisions of the API-key check, without I/O: what to look up, and what a verdict means for the client.
 * Pure and plain on purpose (no regular expressions, no platform API), so that the same file can be compiled to Lua for
 * Kong. Every comparison is explicit because "" and 0 are truthy there.
 */

export type KeyReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'key'; readonly key: string }

/** `unknown` is the verifier's failure, never the client's. */
export type Verdict = 'valid' | 'invalid' | 'unknown'

export interface Refusal {
  readonly status: 401 | 503
  readonly message: string
  readonly error: 'API_KEY_REQUIRED' | 'API_KEY_INVALID' | 'SERVICE_UNAVAILABLE'
}

export const KEY_HEADER = 'x-api-key'
const MAX_KEY_LENGTH = 200

export const KEY_REQUIRED: Refusal = { status: 401, message: 'API key required', error: 'API_KEY_REQUIRED' }
export const KEY_INVALID: Refusal = { status: 401, message: 'Invalid API key', error: 'API_KEY_INVALID' }
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

/** What the verifier's answer says. `valid` is the field of its JSON body, or undefined when there was no such body. */
export function readVerdict(status: number, valid: unknown): Verdict {
  if (status === 401) return 'invalid'
  if (status === 200 && valid === true) return 'valid'
  if (status === 200 && valid === false) return 'invalid'
  return 'unknown'
}

/** The refusal that a verdict leads to; undefined lets the request pass. */
export function judge(verdict: Verdict): Refusal | undefined {
  if (verdict === 'valid') return undefined
  if (verdict === 'invalid') return KEY_INVALID
  return UNVERIFIED
}
