import { type PublishedKeySet, publishedKey } from './jwk.ts'
import type { KeyPair } from './key-pair.ts'

/** The keys of one issuer: the newest signs, all of them verify. */
export interface KeyRing {
  readonly current: KeyPair
  readonly keys: readonly KeyPair[]
  /** The public keys, newest first; safe to publish. */
  jwks(): PublishedKeySet
}

/**
 * @param keys oldest first; the last one signs
 * @throws {Error} when there is none
 */
export function createKeyRing(keys: readonly KeyPair[]): KeyRing {
  const newestFirst = [...keys].reverse()
  const current = newestFirst[0]
  if (current === undefined) throw new Error('a key ring needs at least one key')
  const published = newestFirst.map(publishedKey)
  return { current, keys: newestFirst, jwks: () => ({ keys: published.map(key => ({ ...key })) }) }
}
