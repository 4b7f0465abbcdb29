import { createFirstKey } from './create.ts'
import { KeyDirectory, type KeyScan } from './directory.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'

export interface KeyRingOptions {
  /**
   * Holds one PKCS8 PEM file a key, `0001.pem`, `0002.pem`, …; the last by name signs. Other files are ignored. Nobody but
   * owner and group may read them.
   */
  readonly directory: string
  /** Makes the directory and a first key when there is no key yet. Default false. */
  readonly createIfMissing?: boolean
}

/**
 * Loads the signing keys of a directory once; {@link RotatingKeyRing} looks again and again. Several processes may start at
 * once on an empty one: all end with the same key.
 *
 * @throws {Error} when there is no key and none may be made, or a file is no RSA key of at least 2048 bits, or open to others
 * @example
 * const keyRing: KeyRing = await loadKeyRing({ directory: config.KEY_DIRECTORY, createIfMissing: true })
 * routes.fastify.get('/.well-known/jwks.json', async (): Promise<PublishedKeySet> => keyRing.jwks())
 */
export async function loadKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { keys, problems } = await firstScan(new KeyDirectory(options.directory), options)
  const [problem] = problems.values()
  if (problem !== undefined) throw new Error(problem)
  return createKeyRing(keys)
}

/** The first look into a directory of keys. @throws {Error} when it holds no usable one and none may be made */
export async function firstScan(
  keyDirectory: KeyDirectory,
  { directory, createIfMissing = false }: KeyRingOptions,
): Promise<KeyScan> {
  let scan = await keyDirectory.scan()
  if (scan.keys.length > 0) return scan
  const [problem] = scan.problems.values()
  if (problem !== undefined) throw new Error(problem)
  if (!createIfMissing) throw new Error(`no signing key in ${directory}: put a PKCS8 file like 0001.pem there`)
  await createFirstKey(directory)
  scan = await keyDirectory.scan()
  return scan
}
