/** A call that wants to be the first with its key. */
export interface IdempotencyClaim {
  /** Stands for the caller, the procedure and the key. Reveals none of them. */
  readonly id: string
  /** Stands for the input; the same input has the same. Reveals nothing of it. */
  readonly fingerprint: string
  /** New for each attempt: only who claimed last may store an answer. */
  readonly fence: string
  /** Milliseconds until the claim lapses if nothing more is heard of it. */
  readonly leaseMs: number
  /** Milliseconds for which the answer is kept. */
  readonly keepMs: number
}

/** What is known about a key. */
export interface IdempotencyRecord {
  readonly fingerprint: string
  /** Undefined while the first call is under way. */
  readonly answer: string | undefined
}

/** Where the answers to calls with an `Idempotency-Key` are kept: what stores and the middleware share. All times are the store's. */
export interface IdempotencyStore {
  /** Resolves to undefined if the claim succeeded: the key is unknown, or what was known of it has lapsed. Atomic. */
  claim(claim: IdempotencyClaim): Promise<IdempotencyRecord | undefined>
  /** Keeps the answer. Resolves to false, and changes nothing, if another call has claimed the key since. */
  complete(claim: IdempotencyClaim, answer: string): Promise<boolean>
  /** Forgets the claim, unless it has an answer or another call has claimed the key since. */
  release(claim: IdempotencyClaim): Promise<void>
  /** Handles the call, for a store that has to know in the handler which claim it is about. */
  handle?<T>(claim: IdempotencyClaim, handle: () => Promise<T>): Promise<T>
}

/** The answer of a call that has had its effect, as long as its own answer is not there: it is too large, or did not come. */
export const WITHOUT_ANSWER = '{"withoutAnswer":true}'
