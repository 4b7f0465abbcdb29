import type { KeyPair } from '../key-pair.ts'
import { type PublicationRecord, signingKey } from './publications.ts'

/** The keys that an instance can sign with: those of its directory, and the one that it must not let go of yet. */
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
   * The keys after a look into the directory. A key whose file is gone signs no more, unless there would be no other that may:
   * somebody removed it too early, or the volume is not mounted, and that must not keep anybody from signing in.
   * @param signs the key that signed until now
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
      return [`signing keys: there is no usable one in ${directory} any more; those that were loaded are used on`]
    if (this.#problem === 'too early')
      return ['signing keys: the file of the one that signs is gone before another may sign; it is used until then']
    return []
  }
}
