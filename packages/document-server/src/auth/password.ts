import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** SASLprep leaves these as they are, so every client makes the same key of them. */
const printable = /^[\x20-\x7e]{1,256}$/

/** @throws Error for a password that not every client would send alike */
export function checkPassword(password: string, whence: string): string {
  if (printable.test(password)) return password
  throw new Error(`${whence} is no password for this server: use 1 to 256 printable ASCII characters`)
}

/**
 * The password in a file, without the newline at its end.
 * @throws Error in one line when it cannot be read or others may read it
 */
export function readPassword(file: string): string {
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new Error(`the password file ${file} is open to others: chmod 600 ${file}`)
  return checkPassword(readFileSync(file, 'utf8').replace(/\r?\n$/, ''), `what is in ${file}`)
}

/** The password that a directory keeps for itself; made on the first start, readable by its owner alone. */
export function keptPassword(file: string): string {
  try {
    return readPassword(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const made = randomBytes(24).toString('base64url')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // Renamed into place, so that a crash leaves no half of one.
  writeFileSync(`${file}.new`, made, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
  return made
}
