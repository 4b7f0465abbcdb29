import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { type KeyPair, parseKeyPair } from './key-pair.ts'

/** A 16384-bit key has 13 kB. */
const MAX_BYTES = 65_536
/** Writing for the group, anything for others: what is laid open like that signs nothing. */
const TOO_OPEN = 0o027

/** One file of a directory of keys: a key, or why it is none. */
export class KeyFile {
  readonly pair: KeyPair | undefined
  /** One line without anything of the file's contents; empty for a key. */
  readonly problem: string
  readonly #digest: string

  private constructor(digest: string, pair: KeyPair | undefined, problem = '') {
    this.#digest = digest
    this.pair = pair
    this.problem = problem
  }

  /**
   * Reads a file; `undefined` when it is gone.
   * @param before what was read of it earlier; its key is taken when the bytes are the same
   */
  static async read(path: string, before?: KeyFile): Promise<KeyFile | undefined> {
    try {
      const { size, mode } = await stat(path).then(found => {
        // Opening a pipe would wait for its writer.
        if (!found.isFile()) throw new Error('it is not a file')
        return found
      })
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, a key has fewer than ${MAX_BYTES}`)
      if (mode & TOO_OPEN) throw new Error(`others may read or write it (mode ${octal(mode)}): chmod 600`)
      const bytes = await readFile(path)
      const digest = createHash('sha256').update(bytes).digest('hex')
      if (before?.pair && before.#digest === digest) return before
      return new KeyFile(digest, parseKeyPair(bytes.toString()))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code === 'ENOENT') return undefined
      const why = error instanceof Error ? error.message : String(error)
      const problem = `${path} is no usable signing key: ${why}`
      // A volume that fails for a moment says nothing about the key that was read from it.
      if (/^E[A-Z]+$/.test(code) && before?.pair) return new KeyFile(before.#digest, before.pair, problem)
      return new KeyFile('', undefined, problem)
    }
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0')
}
