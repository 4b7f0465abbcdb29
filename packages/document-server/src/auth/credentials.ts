import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database } from '../storage/database.ts'
import { hmac, makeVerifier, type Verifier } from './scram.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, salt BLOB NOT NULL, iterations INTEGER NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL)`

/** The one user of the server, who may do everything in every database. */
export class Credentials {
  readonly user: string
  readonly #verifier: Verifier
  /** The key that derives salts for unknown users: always the same salt for the same name, even after a restart. */
  readonly #decoy: Buffer

  private constructor(user: string, verifier: Verifier) {
    this.user = user
    this.#verifier = verifier
    this.#decoy = hmac(verifier.serverKey, 'decoy')
  }

  /** Makes this the only user. The database stores a salted hash of the password. */
  static async open(database: Database, user: string, password: string, rounds: number): Promise<Credentials> {
    database.exec(schema)
    const kept = stored(database, user)
    if (kept) {
      const again = await makeVerifier(password, kept.iterations, kept.salt)
      if (timingSafeEqual(again.storedKey, kept.storedKey)) return new Credentials(user, kept)
    }
    const made = await makeVerifier(password, rounds)
    database.write(() => {
      database.run('DELETE FROM users')
      const { salt, storedKey, serverKey } = made
      database.run('INSERT INTO users VALUES (?, ?, ?, ?, ?)', user, salt, made.iterations, storedKey, serverKey)
    })
    return new Credentials(user, made)
  }

  /** The verifier to check a proof against. An unknown user gets one that looks real but that no proof matches. */
  verifierOf(user: string): Verifier {
    if (user === this.user) return this.#verifier
    const { salt, iterations } = this.#verifier
    const made = hmac(this.#decoy, user).subarray(0, salt.byteLength)
    return { salt: made, iterations, storedKey: randomBytes(32), serverKey: randomBytes(32) }
  }
}

function stored(database: Database, user: string): Verifier | undefined {
  const row = database.get('SELECT salt, iterations, stored_key, server_key FROM users WHERE name = ?', user)
  return (
    row && {
      salt: Buffer.from(row.salt as Uint8Array),
      iterations: Number(row.iterations),
      storedKey: Buffer.from(row.stored_key as Uint8Array),
      serverKey: Buffer.from(row.server_key as Uint8Array),
    }
  )
}

/** SASLprep leaves these characters as they are, so every client derives the same key from them. */
const printable = /^[\x20-\x7e]{1,256}$/

/** @throws Error for a password that clients might encode differently */
export function checkPassword(password: string, origin: string): string {
  if (printable.test(password)) return password
  throw new Error(`${origin} is not a valid password for this server: use 1 to 256 printable ASCII characters`)
}

/**
 * The password in a file, without the newline at its end.
 * @throws Error if the file cannot be read, or if others may read it
 */
export function readPassword(file: string): string {
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new Error(`the password file ${file} is open to others: chmod 600 ${file}`)
  return checkPassword(readFileSync(file, 'utf8').replace(/\r?\n$/, ''), `the content of ${file}`)
}

/** The password stored in a file that only its owner can read. The first start creates it. */
export function keptPassword(file: string): string {
  try {
    return readPassword(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const made = randomBytes(24).toString('base64url')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // Renamed into place, so that a crash cannot leave half a password.
  writeFileSync(`${file}.new`, made, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
  return made
}
