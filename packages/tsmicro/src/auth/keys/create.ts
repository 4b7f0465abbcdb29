import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { formatPrivateKey, generateKeyPair, type KeyPair } from './key-pair.ts'

/** Puts a first key into a directory, or leaves the one that another process put there in the meantime. */
export async function createFirstKey(directory: string): Promise<void> {
  await withDraft(directory, draft => linkUnlessTaken(draft, join(directory, '0001.pem')))
}

/**
 * Makes a new signing key and puts it into a directory under the next free number: `0001.pem`, `0002.pem`, … Mode 600, synced
 * to disk, and whole before anybody can see it; what is there is never replaced, also when several do this at once.
 *
 * @throws {Error} when the directory cannot be made or written
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
 * The key is written whole and synced under a name nobody reads, then linked to its real name: `link` fails when that
 * exists, so there is one winner, and no reader ever sees half a file. (`rename` would replace the winner's key.)
 */
async function withDraft<T>(directory: string, place: (draft: string, pair: KeyPair) => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `.${randomUUID()}.new`)
  try {
    const pair = await generateKeyPair()
    await writeSynced(draft, formatPrivateKey(pair))
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
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    return false
  }
}

async function highestNumber(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).map(name => Number(/^(\d{1,9})\.pem$/.exec(name)?.[1] ?? 0))
  return Math.max(0, ...numbers)
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the new name survive a power failure, too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
