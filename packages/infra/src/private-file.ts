import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes a file for its owner alone, whole or not at all: a full disk or a crash leaves what was there before. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.new`
  // Anew, so that the mode is ours whatever lay there.
  await rm(draft, { force: true })
  try {
    await using handle = await open(draft, 'wx', 0o600)
    await handle.writeFile(text)
    await handle.sync()
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await rename(draft, file)
}

/** The password that is kept in a server's folder, made when there is none. 32 characters that need no escaping anywhere. */
export async function keptPassword(folder: string): Promise<string> {
  const file = join(folder, 'password')
  const kept = await readFile(file, 'utf8').catch(() => '')
  if (/^[\w-]{32}$/.test(kept)) return kept
  const made = randomBytes(24).toString('base64url')
  await writePrivately(file, made)
  return made
}
