import { randomUUID } from 'node:crypto'
import { link, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { formatPrivateKey, generateKeyPair } from './key-pair.ts'

/**
 * Puts a first key into a directory, or leaves the one that another process put there in the meantime.
 * The key is written whole and synced under a name nobody reads, then linked to its real name: `link` fails when that
 * exists, so there is one winner, and no reader ever sees half a file. (`rename` would replace the winner's key.)
 */
export async function createFirstKey(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `.${randomUUID()}.new`)
  try {
    await writeSynced(draft, formatPrivateKey(await generateKeyPair()))
    await link(draft, join(directory, '0001.pem'))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await unlink(draft).catch(() => undefined)
  }
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
