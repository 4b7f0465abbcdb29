import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatPrivateKey, generateKeyPair, type KeyPair } from './key-pair.ts'

/** Puts a first key into a directory, unless another process has put one there in the meantime. */
export async function createFirstKey(directory: string): Promise<void> {
  await withDraft(directory, draft => linkUnlessTaken(draft, join(directory, '0001.pem')))
}

/**
 * Makes a new signing key and puts it into a directory under the next free number: `0001.pem`, `0002.pem`, …. The file has mode
 * 600, is synced to disk and complete before anybody can see it. An existing file is never replaced, even if several processes
 * do this at once.
 *
 * @throws {Error} if the directory cannot be made or written
 * @example
 * const { file, kid } = await createKeyFile(config.KEY_DIRECTORY)
 */
export async function createKeyFile(directory: string): Promise<{ readonly file: string; readonly kid: string }> {
  return withDraft(directory, async (draft, { kid }) => {
    for (let number = (await highestNumber(directory)) + 1; ; number++) {
      const file = join(directory, `${String(number).padStart(4, '0')}.pem`)
      if (await linkUnlessTaken(draft, file)) {
        await syncDirectory(directory)
        return { file, kid }
      }
    }
  })
}

/**
 * Writes and syncs the complete key under a name that nobody reads. It is then linked to its real name: `link` fails if that
 * exists, so there is one winner, and no reader ever sees half a file. (`rename` would replace the winner's key.)
 */
async function withDraft<T>(directory: string, place: (draft: string, pair: KeyPair) => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `.${randomUUID()}.new`)
  try {
    const pair = await generateKeyPair()
    await writeFile(draft, formatPrivateKey(pair), { flag: 'wx', mode: 0o600, flush: true })
    return await place(draft, pair)
  } finally {
    await unlink(draft).catch(() => undefined)
  }
}

async function linkUnlessTaken(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

async function highestNumber(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).map(name => Number(/^(\d{1,9})\.pem$/.exec(name)?.[1] ?? 0))
  return Math.max(0, ...numbers)
}

/** Makes sure that the new name survives a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
