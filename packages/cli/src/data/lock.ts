import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../errors.ts'

const LOCK = '.lock'
const HOLDER = '.lock-pid'

/** A lock that is held until it is released or this process ends, in whatever way. */
export interface DataLock {
  release(): void
}

/** Whether a file belongs to the lock. */
export function isLockFile(name: string): boolean {
  return name.startsWith(LOCK)
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5 // SQLITE_BUSY
}

function holder(dir: string): string {
  try {
    return ` by pid ${readFileSync(join(dir, HOLDER), 'utf8').trim()}`
  } catch {
    return ''
  }
}

/**
 * Locks a data folder. The lock is SQLite's on an empty database, that is, the operating system's: it ends with the process that holds it,
 * so there is no stale lock to recognise and no process id to mistake for another's. The id in the file beside it is for people only.
 * @param shown the folder's name in the message
 * @throws CliError when another process holds it
 */
export async function lockData(dir: string, shown: string): Promise<DataLock> {
  const database = new DatabaseSync(join(dir, LOCK), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    await sleep(100) // the other one may have taken it this moment, and not yet written who it is
    throw new CliError(`${shown} is in use${holder(dir)}: stop that one first, or choose another folder with DATA_DIR`)
  }
  try {
    writeFileSync(join(dir, HOLDER), `${process.pid}\n`)
  } catch {
    // A full disk, say: then nobody is told who has it, but the lock holds.
  }
  return { release: () => database.close() }
}
