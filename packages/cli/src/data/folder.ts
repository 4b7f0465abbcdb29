import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { CliError } from '../errors.ts'
import { type DataLock, isLockFile, lockData } from './lock.ts'

const MARKER = '.tsmicro'

/** A locked data folder. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string
  release(): void
}

async function claim(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const path = await realpath(dir)
  if (existsSync(join(path, MARKER))) return close(path)
  if ((await readdir(path)).length > 0)
    throw new CliError(`${path} has files that are not tsmicro's: name an empty or a new folder with DATA_DIR`)
  await writeFile(
    join(path, MARKER),
    'Data of `tsmicro start`. `tsmicro start --fresh` deletes everything in this folder.\n',
  )
  return close(path)
}

/** Passwords and everybody's data lie in it: nobody else looks in, whoever made the folder and however. */
async function close(path: string): Promise<string> {
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return path
  try {
    await chmod(path, 0o700)
  } catch {
    throw new CliError(
      `${path} is open to others and belongs to somebody else: name a folder of your own with DATA_DIR`,
    )
  }
  return path
}

async function empty(path: string): Promise<void> {
  for (const entry of await readdir(path))
    if (entry !== MARKER && !isLockFile(entry))
      await rm(join(path, entry), { recursive: true, force: true, maxRetries: 5 })
}

/**
 * Makes or takes a data folder, locks it, and empties it when `fresh`. Only a folder that carries our marker or is empty is ever touched.
 * @throws CliError when it is somebody else's, or in use
 */
export async function openDataFolder(dir: string, fresh: boolean): Promise<DataFolder> {
  const path = await claim(dir)
  const lock: DataLock = await lockData(path, relative(process.cwd(), path) || path)
  try {
    if (fresh) await empty(path)
  } catch (error) {
    lock.release()
    throw error
  }
  return { path, release: () => lock.release() }
}
