import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFirstKey } from './create.ts'
import { type KeyPair, parseKeyPair } from './key-pair.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'

export interface KeyRingOptions {
  /** Holds one PKCS8 PEM file a key, `0001.pem`, `0002.pem`, …; the last by name signs. Other files are ignored. */
  readonly directory: string
  /** Makes the directory and a first key when there is no key yet. Default false. */
  readonly createIfMissing?: boolean
}

/**
 * Loads the signing keys of a directory. Several processes may start at once on an empty one: all end with the same key.
 *
 * @throws {Error} when there is no key and none may be made, or a file is no RSA key of at least 2048 bits
 * @example
 * const keyRing = await loadKeyRing({ directory: config.KEY_DIRECTORY, createIfMissing: true })
 * routes.raw('GET /.well-known/jwks.json', () => keyRing.jwks())
 */
export async function loadKeyRing({ directory, createIfMissing = false }: KeyRingOptions): Promise<KeyRing> {
  let names = await keyFiles(directory)
  if (names.length === 0) {
    if (!createIfMissing) throw new Error(`no signing key in ${directory}: put a PKCS8 file like 0001.pem there`)
    await createFirstKey(directory)
    names = await keyFiles(directory)
  }
  return createKeyRing(await Promise.all(names.map(name => load(join(directory, name)))))
}

async function keyFiles(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names.filter(name => name.endsWith('.pem')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

async function load(file: string): Promise<KeyPair> {
  const pem = await readFile(file, 'utf8')
  try {
    return parseKeyPair(pem)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${file} is no usable signing key: ${why}`, { cause: error })
  }
}
