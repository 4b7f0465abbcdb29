import type { KeyPair, PublishedKey } from './key-pair.ts'

/** A published key, as recorded for all instances of an issuer. */
export interface KeyPublication {
  readonly key: PublishedKey
  /** When the key may begin to sign: milliseconds since 1970 by the record's clock. */
  readonly signsFrom: number
  /** The key must neither sign nor verify. */
  readonly withdrawn: boolean
}

/** The record at one moment. */
export interface PublicationRecord {
  /** The record's clock: milliseconds since 1970. */
  readonly now: number
  /** Newest first, in the same order for every instance. */
  readonly publications: readonly KeyPublication[]
}

/**
 * The record of published keys that all instances of an issuer share, in a database for example. It holds public keys only.
 * It decides, once and by its own clock, when a key may begin to sign: late enough for every verifier to know the key by then.
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
   * Enters the keys that are not in the record yet, and resolves to the whole record.
   * @param keys the keys that this instance can sign with, oldest first
   * @throws if the record cannot be reached
   */
  publish(keys: readonly PublishedKey[]): Promise<PublicationRecord>
}

/**
 * The key that signs: the newest one that may. Before any may, it is the newest of all: somebody has to sign, and verifiers ask
 * for a key that they do not know. `undefined` if every held key is withdrawn or missing from the record.
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

/** The keys that an instance can sign with: those of its directory, and one that it has to keep for now. */
export class HeldKeys {
  /** Oldest first. */
  readonly keys: readonly KeyPair[]
  readonly byKid: ReadonlyMap<string, KeyPair>
  readonly #problem: 'none' | 'all files gone' | 'too early'

  constructor(keys: readonly KeyPair[], problem: 'none' | 'all files gone' | 'too early' = 'none') {
    this.keys = keys
    this.byKid = new Map(keys.map(pair => [pair.kid, pair]))
    this.#problem = problem
  }

  /**
   * The keys after another look at the directory. A key whose file is gone no longer signs, unless no other key may sign yet:
   * somebody removed the file too early or the volume is not mounted, and users must still be able to sign in.
   * @param signs the key that has signed until now
   */
  after(found: readonly KeyPair[], signs: string | undefined, record: PublicationRecord, now: number): HeldKeys {
    const current = signs === undefined ? undefined : this.byKid.get(signs)
    if (found.length === 0) return new HeldKeys(this.keys, 'all files gone')
    if (!current || found.some(({ kid }) => kid === signs)) return new HeldKeys(found)
    const active = record.publications.filter(({ signsFrom }) => signsFrom <= now)
    const another = signingKey(new Map(found.map(pair => [pair.kid, pair])), active, now)
    const withdrawn = record.publications.some(({ key, withdrawn }) => withdrawn && key.kid === signs)
    return another || withdrawn ? new HeldKeys(found) : new HeldKeys([current, ...found], 'too early')
  }

  /** What the operator should know, one line each. */
  problems(directory: string): readonly string[] {
    if (this.#problem === 'all files gone')
      return [`signing keys: ${directory} no longer holds a usable key; the keys already loaded stay in use`]
    if (this.#problem === 'too early')
      return ['signing keys: the file of the current key was removed before another key may sign; the key stays in use']
    return []
  }
}
