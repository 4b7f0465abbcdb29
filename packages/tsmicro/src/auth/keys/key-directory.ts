import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createFirstKey } from './create-key-file.ts'
import { type KeyPair, parseKeyPair } from './key-pair.ts'

/** What a directory of keys holds now. */
interface KeyScan {
  /** Every usable key once, in the order of the files' names. */
  readonly keys: readonly KeyPair[]
  /** The path of each key's file, by `kid`. */
  readonly files: ReadonlyMap<string, string>
  /** One line for each file that is not a usable key, by its path. */
  readonly problems: ReadonlyMap<string, string>
}

/** One file as it was read: a key, or a problem in one line that quotes nothing of the file. */
interface KeyFile {
  readonly digest: string
  readonly pair?: KeyPair | undefined
  readonly problem?: string
}

/** A 16384-bit key has 13 kB. */
const MAX_BYTES = 65_536
/** Write access for the group, any access for others: a key this exposed must not sign. */
const TOO_OPEN = 0o027

/**
 * The key files of a directory. Each scan reads names and contents again: network volumes and the symbolic links of mounted
 * Kubernetes secrets do not give reliable times and notifications. A key whose bytes are the same stays the same object.
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

  /** @throws {Error} if the directory exists but cannot be read */
  async scan(): Promise<KeyScan> {
    const files = new Map<string, KeyFile>()
    const keys = new Map<string, KeyPair>()
    const paths = new Map<string, string>()
    const problems = new Map<string, string>()
    for (const name of await keyFileNames(this.#directory)) {
      const path = join(this.#directory, name)
      const file = await readKeyFile(path, this.#files.get(name))
      if (!file) continue
      files.set(name, file)
      if (file.pair && !keys.has(file.pair.kid)) {
        keys.set(file.pair.kid, file.pair)
        paths.set(file.pair.kid, path)
      }
      if (file.problem !== undefined) problems.set(path, file.problem)
    }
    this.#files = files
    return { keys: [...keys.values()], files: paths, problems }
  }

  /**
   * Scans a directory that has to hold a usable key.
   *
   * @param options.createIfMissing makes the directory and a first key if there is no key file yet. Default false
   * @throws {Error} if there is no usable key
   */
  async load(options: { readonly createIfMissing?: boolean | undefined } = {}): Promise<KeyScan> {
    const scan = await this.scan()
    if (scan.keys.length > 0) return scan
    const [problem] = scan.problems.values()
    if (problem !== undefined) throw new Error(problem)
    if (!options.createIfMissing)
      throw new Error(`no signing key in ${this.#directory}: put a PKCS8 file like 0001.pem there`)
    await createFirstKey(this.#directory)
    return this.scan()
  }
}

async function keyFileNames(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names
      .filter(name => name.endsWith('.pem') && !name.startsWith('.'))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/**
 * Reads a file; `undefined` if it is gone.
 * @param before the result of the previous reading; its key is kept if the bytes are the same
 */
async function readKeyFile(path: string, before: KeyFile | undefined): Promise<KeyFile | undefined> {
  try {
    const found = await stat(path)
    // Opening a pipe would wait for its writer.
    if (!found.isFile()) throw new Error('it is not a file')
    if (found.size > MAX_BYTES) throw new Error(`it has ${found.size} bytes, a key has fewer than ${MAX_BYTES}`)
    if (found.mode & TOO_OPEN) throw new Error(`others may read or write it (mode ${octal(found.mode)}): chmod 600`)
    const bytes = await readFile(path)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const pair = before?.digest === digest ? before.pair : undefined
    return { digest, pair: pair ?? parseKeyPair(bytes.toString()) }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return undefined
    const problem = `${path} is not a usable signing key: ${error instanceof Error ? error.message : String(error)}`
    // A volume that fails for a moment says nothing about the key that was read from it.
    if (/^E[A-Z]+$/.test(code) && before?.pair) return { ...before, problem }
    return { digest: '', problem }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0')
}
