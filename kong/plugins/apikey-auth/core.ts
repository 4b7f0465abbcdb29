/*
 * The decisions of the API-key check, without I/O: compiled to Lua for Kong, used as it is by the embedded gateway. Plain on
 * purpose (no regular expressions, no platform API), and every comparison is explicit, because "" and 0 are truthy in Lua.
 * Strings are bytes, one character each.
 */
import { isAnonymous } from './anonymous.ts'
import { readKey } from './key.ts'
import { KEY_FORBIDDEN, KEY_INVALID, KEY_REQUIRED, type Refusal, UNVERIFIED } from './refusal.ts'
import type { Consumer, Verdict } from './verdict.ts'

export { isPathPattern } from './anonymous.ts'
export { envelopeOf, type Refusal } from './refusal.ts'
export {
  type Consumer,
  LONGEST_BODY,
  lifeOf,
  readVerdict,
  shareOf,
  type TimesToLive,
  type Verdict,
  type VerifierBody,
} from './verdict.ts'

/** Higher runs first, on Kong's scale, where its own key-auth has the same. */
export const PRIORITY = 1250

/** What is looked at of a request. */
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

export type Opening =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | { readonly kind: 'verify'; readonly key: string }

export type Ending =
  | { readonly kind: 'pass'; readonly consumer: Consumer }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

/** What is to be done with a request: let it pass, refuse it, or verify its key. */
export function open({ path, valuesOf }: KeyRequest, { anonymousPaths, keyNames }: Rules): Opening {
  if (isAnonymous(path, anonymousPaths)) return { kind: 'pass' }
  const values: string[] = []
  for (const name of keyNames) for (const value of valuesOf(name)) values.push(value)
  const reading = readKey(values)
  if (reading.kind === 'missing') return { kind: 'refuse', refusal: KEY_REQUIRED }
  if (reading.kind === 'malformed') return { kind: 'refuse', refusal: KEY_INVALID }
  return { kind: 'verify', key: reading.key }
}

/** What a verdict means for a request that needs a permission; undefined needs none. */
export function conclude(verdict: Verdict, permission: string | undefined): Ending {
  if (verdict.kind === 'invalid') return { kind: 'refuse', refusal: KEY_INVALID }
  if (verdict.kind !== 'valid') return { kind: 'refuse', refusal: UNVERIFIED }
  const { consumer } = verdict
  if (permission !== undefined && !consumer.permissions.includes(permission))
    return { kind: 'refuse', refusal: KEY_FORBIDDEN }
  return { kind: 'pass', consumer }
}
