import { KeyDirectory } from './key-directory.ts'
import { type KeyPair, type PublishedKeySet, publishedKey } from './key-pair.ts'

/** The keys of one issuer: the newest signs, all of them verify. */
export interface KeyRing {
  readonly current: KeyPair
  readonly keys: readonly KeyPair[]
  /** The public keys, newest first; safe to publish. */
  jwks(): PublishedKeySet
}

export interface KeyRingOptions {
  /**
   * Holds one PKCS8 PEM file per key: `0001.pem`, `0002.pem`, …. The last one by name signs. Other files are ignored. Only the
   * owner and the group may be able to read the files.
   */
  readonly directory: string
  /** Makes the directory and a first key if there is no key yet. Default false. */
  readonly createIfMissing?: boolean
}

/**
 * Loads the signing keys of a directory once; a {@link RotatingKeyRing} follows its changes. Several processes may start on an
 * empty directory at the same time: all of them end up with the same key.
 *
 * @throws {Error} if there is no key and none may be made, or a file is not an RSA key of at least 2048 bits or is readable by
 * others
 * @example
 * const keyRing: KeyRing = await loadKeyRing({ directory: config.KEY_DIRECTORY, createIfMissing: true })
 * routes.fastify.get('/.well-known/jwks.json', async (): Promise<PublishedKeySet> => keyRing.jwks())
 */
export async function loadKeyRing({ directory, createIfMissing }: KeyRingOptions): Promise<KeyRing> {
  const { keys, problems } = await new KeyDirectory(directory).load({ createIfMissing })
  const [problem] = problems.values()
  if (problem !== undefined) throw new Error(problem)
  return createKeyRing(keys)
}

/**
 * @param keys oldest first; the last one signs
 * @throws {Error} if there is none
 */
export function createKeyRing(keys: readonly KeyPair[]): KeyRing {
  const newestFirst = keys.toReversed()
  const [current] = newestFirst
  if (current === undefined) throw new Error('a key ring needs at least one key')
  const published = newestFirst.map(publishedKey)
  return { current, keys: newestFirst, jwks: () => ({ keys: published.map(key => ({ ...key })) }) }
}
