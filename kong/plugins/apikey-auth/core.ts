/*
 * The decisions of the API-key check, without I/O: compiled to Lua for Kong, and used directly by the embedded gateway. The code is
 * deliberately plain (no regular expressions, no platform API), and every comparison is explicit, because "" and 0 are truthy in
 * Lua. Strings are bytes, one character each.
 */
import { isAlphanumeric, isWord } from '../shared/identity.ts'

/** Higher runs first, on Kong's scale, where Kong's own key-auth has the same priority. */
export const PRIORITY = 1250

/** The parts of a request that are inspected. */
export interface KeyRequest {
  /** As sent, without the query. */
  readonly path: string
  /** All values of a header field, in their order; the name in lower case. */
  valuesOf(this: void, name: string): readonly string[]
}

/** What a request needs. */
export interface Rules {
  readonly anonymousPaths: readonly string[]
  /** Header fields that may hold the key, in lower case. */
  readonly keyNames: readonly string[]
}

export interface Refusal {
  readonly status: 401 | 403 | 503
  readonly message: string
  readonly error: 'API_KEY_REQUIRED' | 'API_KEY_INVALID' | 'API_KEY_FORBIDDEN' | 'SERVICE_UNAVAILABLE'
}

const KEY_REQUIRED: Refusal = { status: 401, message: 'API key required', error: 'API_KEY_REQUIRED' }
const KEY_INVALID: Refusal = { status: 401, message: 'Invalid API key', error: 'API_KEY_INVALID' }
const KEY_FORBIDDEN: Refusal = { status: 403, message: 'This API key does not permit that', error: 'API_KEY_FORBIDDEN' }
const UNVERIFIED: Refusal = {
  status: 503,
  message: 'The API key cannot be verified right now',
  error: 'SERVICE_UNAVAILABLE',
}

/** The client's view of a refusal: the platform's envelope for failures. */
export function envelopeOf({ status, message, error }: Refusal, requestId: string) {
  return { code: '10001', status, message, error, requestId }
}

export type Inspection =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | { readonly kind: 'verify'; readonly key: string }

const LONGEST_KEY = 200

/**
 * Decides whether a request passes, is refused, or needs its key verified. A key is 1 to 200 visible ASCII characters, sent once in
 * one of the header fields that may hold it.
 */
export function inspect({ path, valuesOf }: KeyRequest, { anonymousPaths, keyNames }: Rules): Inspection {
  if (isAnonymous(path, anonymousPaths)) return { kind: 'pass' }
  const values: string[] = []
  for (const name of keyNames) for (const value of valuesOf(name)) values.push(value)
  if (values.length > 1) return { kind: 'refuse', refusal: KEY_INVALID }
  const key = values[0]
  if (key === undefined || key === '') return { kind: 'refuse', refusal: KEY_REQUIRED }
  if (key.length > LONGEST_KEY) return { kind: 'refuse', refusal: KEY_INVALID }
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    if (code < 33 || code > 126) return { kind: 'refuse', refusal: KEY_INVALID }
  }
  return { kind: 'verify', key }
}

/**
 * Whether a path may be requested without a key: `/health` matches exactly that, `/public/*` everything below `/public/`, `/public*`
 * also `/publicity`. The path is the client's own, as sent, without the query.
 *
 * Only a path that everybody reads in the same way counts. With an escape, an empty or a dot segment, or a character such as `;` or
 * `\`, it needs a key, because a service may read another path than the gateway does.
 */
function isAnonymous(path: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0 || !isPlain(path)) return false
  for (const pattern of patterns) if (matches(path, pattern)) return true
  return false
}

/** Whether an entry of `anonymous_paths` is valid: a plain path, with or without a `*` at its end. */
export function isPathPattern(pattern: string): boolean {
  return isPlain(pattern.endsWith('*') ? pattern.substring(0, pattern.length - 1) : pattern)
}

function matches(path: string, pattern: string): boolean {
  if (!pattern.endsWith('*')) return path === pattern
  return path.startsWith(pattern.substring(0, pattern.length - 1))
}

/** Whether a path starts with a slash, and contains only letters, digits and `- . _ ~` in segments other than ``, `.` and `..`. */
function isPlain(path: string): boolean {
  if (!path.startsWith('/')) return false
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    const mark = code === 45 || code === 46 || code === 47 || code === 95 || code === 126
    if (!mark && !isAlphanumeric(code)) return false
  }
  const ended = `${path}/`
  return !path.includes('//') && !ended.includes('/./') && !ended.includes('/../')
}

/** The owner of a key. */
export interface Consumer {
  readonly id: string
  readonly permissions: readonly string[]
}

/** `unknown` is the verifier's failure, never the client's. */
export type Verdict =
  | { readonly kind: 'valid'; readonly consumer: Consumer }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'unknown' }

export type Decision =
  | { readonly kind: 'pass'; readonly consumer: Consumer }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

/** Decides what a verdict means for a request that needs a permission; undefined for none. */
export function decide(verdict: Verdict, permission: string | undefined): Decision {
  if (verdict.kind === 'invalid') return { kind: 'refuse', refusal: KEY_INVALID }
  if (verdict.kind !== 'valid') return { kind: 'refuse', refusal: UNVERIFIED }
  const { consumer } = verdict
  if (permission !== undefined && !consumer.permissions.includes(permission))
    return { kind: 'refuse', refusal: KEY_FORBIDDEN }
  return { kind: 'pass', consumer }
}

/** The members of the verifier's JSON body; undefined if they are missing, or if there is no such body. */
export interface VerifierBody {
  readonly valid: unknown
  readonly id: unknown
  /** Undefined if it is not a list. Lua cannot tell an empty object from an empty list, so both count as one. */
  readonly permissions: readonly unknown[] | undefined
}

/** In seconds; 0 for not at all. */
export interface TimesToLive {
  readonly good: number
  readonly bad: number
}

/** The verifier answers in a few hundred bytes. A longer body is not its answer. */
export const LONGEST_BODY = 16_384

export const UNKNOWN: Verdict = { kind: 'unknown' }
const LONGEST_ID = 128
const LONGEST_PERMISSION = 64

/** Interprets a verifier's answer. A yes counts only if it says whose key it is and what it permits. */
export function readVerdict(status: number, { valid, id, permissions }: VerifierBody): Verdict {
  if (status === 401) return { kind: 'invalid' }
  if (status !== 200) return UNKNOWN
  if (valid === false) return { kind: 'invalid' }
  if (valid !== true) return UNKNOWN
  if (typeof id !== 'string' || !isWord(id, LONGEST_ID) || permissions === undefined) return UNKNOWN
  const words: string[] = []
  for (const permission of permissions) {
    if (typeof permission !== 'string' || !isWord(permission, LONGEST_PERMISSION)) return UNKNOWN
    words.push(permission)
  }
  return { kind: 'valid', consumer: { id, permissions: words } }
}

/** Returns how many seconds a verdict is remembered. */
export function ttlOf(verdict: Verdict, { good, bad }: TimesToLive): number {
  if (verdict.kind === 'valid') return good
  return verdict.kind === 'invalid' ? bad : 0
}

/** Returns the next verifier's share of the remaining time, so that one that hangs leaves some of it for the others. */
export function shareOf(left: number, verifiers: number): number {
  return verifiers <= 1 ? left : left / verifiers
}
