import type { PublishedKey } from '../jwk.ts'
import type { KeyPair } from '../key-pair.ts'

/** A key that was made known to all, as the record says that all instances of an issuer share. */
export interface KeyPublication {
  readonly key: PublishedKey
  /** From when on it may sign: milliseconds since 1970 by the record's clock. */
  readonly signsFrom: number
  /** It must neither sign nor verify any more. */
  readonly withdrawn: boolean
}

/** The record at a moment. */
export interface PublicationRecord {
  /** What the record's clock says: milliseconds since 1970. */
  readonly now: number
  /** Newest first, in the same order for everybody. */
  readonly publications: readonly KeyPublication[]
}

/**
 * The record of published keys that all instances of an issuer share, in a database for example. It keeps public keys only.
 * It decides, once for all and by its own clock, from when on a key signs: late enough for every verifier to know it by then.
 *
 * @example
 * const record = new Map<string, KeyPublication>()
 * const publications: KeyPublications = {
 *   async publish(keys: readonly PublishedKey[]): Promise<PublicationRecord> {
 *     const now = Date.now()
 *     const entered = (key: PublishedKey) => record.get(key.kid) ?? { key, signsFrom: now + 60_000, withdrawn: false }
 *     for (const key of keys) record.set(key.kid, entered(key))
 *     return { now, publications: [...record.values()].reverse() }
 *   },
 * }
 */
export interface KeyPublications {
  /**
   * Enters the keys that are not in the record yet, and resolves the whole record.
   * @param keys those that this instance can sign with, oldest first
   * @throws when the record cannot be reached
   */
  publish(keys: readonly PublishedKey[]): Promise<PublicationRecord>
}

/**
 * Which key signs: the newest that may; before any may, the newest of all, because somebody has to and verifiers ask for a key
 * that they do not know. `undefined` when all that are held are withdrawn or not in the record.
 */
export function signingKey(
  held: ReadonlyMap<string, KeyPair>,
  publications: readonly KeyPublication[],
  now: number,
): KeyPair | undefined {
  const usable = publications.filter(({ key, withdrawn }) => !withdrawn && held.has(key.kid))
  const newest = usable.find(({ signsFrom }) => signsFrom <= now) ?? usable[0]
  return newest && held.get(newest.key.kid)
}
