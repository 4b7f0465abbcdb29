import { isWord } from '../shared/word.ts'

/** Whose key it is. */
export interface Consumer {
  readonly id: string
  readonly permissions: readonly string[]
}

/** `unknown` is the verifier's failure, never the client's. */
export type Verdict =
  | { readonly kind: 'valid'; readonly consumer: Consumer }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'unknown' }

/** The members of the verifier's JSON body; undefined where there is none, or no such body. */
export interface VerifierBody {
  readonly valid: unknown
  readonly id: unknown
  /** undefined when it is no list. Lua cannot tell an empty object from an empty list: both are one. */
  readonly permissions: readonly unknown[] | undefined
}

/** In seconds; 0 is not at all. */
export interface TimesToLive {
  readonly good: number
  readonly bad: number
}

/** The verifier answers in a few hundred bytes; anything longer than this is not its answer. */
export const LONGEST_BODY = 16_384

const UNKNOWN: Verdict = { kind: 'unknown' }
const LONGEST_ID = 128
const LONGEST_PERMISSION = 64

/** What a verifier's answer says. A yes has to say whose key it is and what it permits: without that it is no yes. */
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

/** For how many seconds a verdict is remembered. */
export function lifeOf(verdict: Verdict, { good, bad }: TimesToLive): number {
  if (verdict.kind === 'valid') return good
  return verdict.kind === 'invalid' ? bad : 0
}

/** How much of the time that is left the next of several verifiers gets, so that one that hangs leaves some for the others. */
export function shareOf(left: number, verifiers: number): number {
  return verifiers <= 1 ? left : left / verifiers
}
