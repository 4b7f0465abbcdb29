import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from './errors.ts'

const MARKER = '.tsmicro'
const LOCK = '.lock'
const HOLDER = '.lock-pid'
const SQLITE_BUSY = 5

/** A locked data folder. */
export interface DataFolder {
  /** Absolute. */
  readonly path: string
  release(): void
}

/**
 * Creates or opens a data folder, locks it, and empties it if `fresh`. Never touches a folder with other files that lacks our marker.
 * @throws CliError if the folder belongs to somebody else or is in use
 */
export async function openDataFolder(dir: string, fresh: boolean): Promise<DataFolder> {
  const path = await claim(dir)
  const release = await lock(path, relative(process.cwd(), path) || path)
  try {
    if (fresh) await empty(path)
  } catch (error) {
    release()
    throw error
  }
  return { path, release }
}

async function claim(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const path = await realpath(dir)
  if (!existsSync(join(path, MARKER))) {
    if ((await readdir(path)).length > 0)
      throw new CliError(`${path} has files that are not tsmicro's: name an empty or a new folder with DATA_DIR`)
    const text = 'Data of `tsmicro start`. `tsmicro start --fresh` deletes everything in this folder.\n'
    await writeFile(join(path, MARKER), text)
  }
  await restrict(path)
  return path
}

/** Denies everybody else access to the folder, which contains passwords and data, whoever created it. */
async function restrict(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return
  await chmod(path, 0o700).catch(() => {
    throw new CliError(
      `${path} is open to others and belongs to somebody else: name a folder of your own with DATA_DIR`,
    )
  })
}

async function empty(path: string): Promise<void> {
  for (const entry of await readdir(path))
    if (entry !== MARKER && !entry.startsWith(LOCK))
      await rm(join(path, entry), { recursive: true, force: true, maxRetries: 5 })
}

/**
 * Locks a data folder until the returned function is called or this process ends, however it ends. It is SQLite's lock on an empty
 * database, which is a lock of the operating system. So there are no stale locks to recognise, and no process id can be mistaken for
 * another: the id in the file beside it is for people only.
 * @param shown the folder's name in the message
 * @throws CliError if another process holds the lock
 */
async function lock(dir: string, shown: string): Promise<() => void> {
  const database = new DatabaseSync(join(dir, LOCK), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error
    await sleep(100) // the other process may just have taken it, and not yet written its id
    throw new CliError(`${shown} is in use${holder(dir)}: stop that one first, or choose another folder with DATA_DIR`)
  }
  try {
    writeFileSync(join(dir, HOLDER), `${process.pid}\n`)
  } catch {
    // For example on a full disk. The lock holds, only its holder remains unknown.
  }
  return () => database.close()
}

function holder(dir: string): string {
  try {
    return ` by pid ${readFileSync(join(dir, HOLDER), 'utf8').trim()}`
  } catch {
    return ''
  }
}
