import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Database } from '../storage/database.ts'
import { hmac, makeVerifier, type Verifier } from './scram.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, salt BLOB NOT NULL, iterations INTEGER NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL)`

/** Who may use the server: one user, who may do everything in every database. */
export class Credentials {
  readonly user: string
  readonly #verifier: Verifier
  /** Makes up salts for users that do not exist: the same one each time for a name, also after a restart. */
  readonly #decoy: Buffer

  private constructor(user: string, verifier: Verifier) {
    this.user = user
    this.#verifier = verifier
    this.#decoy = hmac(verifier.serverKey, 'decoy')
  }

  /** Takes this user and password; the database keeps a salted hash of it and no other user. */
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

  /** What a proof is checked against. For an unknown user something that no proof fits and that looks alike. */
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
