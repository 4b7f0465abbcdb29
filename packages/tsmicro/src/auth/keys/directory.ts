import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyFile } from './key-file.ts'
import type { KeyPair } from './key-pair.ts'

/** What a directory of keys holds now. */
export interface KeyScan {
  /** Every usable key once, in the order of the files' names. */
  readonly keys: readonly KeyPair[]
  /** The path of each key's file, by `kid`. */
  readonly files: ReadonlyMap<string, string>
  /** One line for each file that is no usable key, by its path. */
  readonly problems: ReadonlyMap<string, string>
}

/**
 * The key files of a directory, read anew at each scan: names and contents, not times and notifications, which network volumes
 * and the symbolic links of mounted Kubernetes secrets do not give reliably. A key whose bytes are the same stays the same
 * object.
 *
 * @example
 * const { keys, problems } = await new KeyDirectory(config.KEY_DIRECTORY).scan()
 */
export class KeyDirectory {
  readonly #directory: string
  #files = new Map<string, KeyFile>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @throws {Error} when the directory is there but cannot be read */
  async scan(): Promise<KeyScan> {
    const files = new Map<string, KeyFile>()
    const keys = new Map<string, KeyPair>()
    const paths = new Map<string, string>()
    const problems = new Map<string, string>()
    for (const name of await keyFileNames(this.#directory)) {
      const path = join(this.#directory, name)
      const file = await KeyFile.read(path, this.#files.get(name))
      if (!file) continue
      files.set(name, file)
      if (file.pair && !keys.has(file.pair.kid)) {
        keys.set(file.pair.kid, file.pair)
        paths.set(file.pair.kid, path)
      }
      if (file.problem !== '') problems.set(path, file.problem)
    }
    this.#files = files
    return { keys: [...keys.values()], files: paths, problems }
  }
}

async function keyFileNames(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names
      .filter(name => name.endsWith('.pem') && !name.startsWith('.'))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
