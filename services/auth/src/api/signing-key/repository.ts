import { type Selectable, sql } from 'kysely'
import type { KeyPublication, KeyPublications, PublicationRecord, PublishedKey } from 'tsmicro/auth'
import type { Connection, RunInTransaction, SigningKeysTable } from '../../database.ts'

/** A signing key as all instances agree on it. Times are in milliseconds since 1970, by the database's clock. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** base64url, as in a JWK. */
  readonly modulus: string
  readonly exponent: string
  readonly signsFrom: number
  /** When the last token that it can have signed has expired; extended for as long as an instance has the private key. */
  readonly goodUntil: number
  readonly withdrawnAt: number | undefined
}

export interface KeyLifetimes {
  /** From publication until it signs. */
  readonly activationSeconds: number
  /** From the last signature until it is deleted. */
  readonly keepSeconds: number
}

/** How much `good_until` may lag behind, which saves writes. The margin in the lifetimes is longer. */
const EXTEND_SECONDS = 30

/** The only code that reads and writes the published signing keys. */
export class SigningKeyRepository implements KeyPublications {
  readonly #db: Connection
  readonly #transaction: RunInTransaction
  readonly #lifetimes: KeyLifetimes

  constructor(db: Connection, transaction: RunInTransaction, lifetimes: KeyLifetimes) {
    this.#db = db
    this.#transaction = transaction
    this.#lifetimes = lifetimes
  }

  /** Adds new keys, extends those that are held and deletes those that no token needs. Usually takes one query. */
  async publish(held: readonly PublishedKey[]): Promise<PublicationRecord> {
    const { now, keys } = await this.list()
    const soon = now + (this.#lifetimes.keepSeconds - EXTEND_SECONDS) * 1000
    const due = held.some(({ kid }) => !keys.some(key => key.kid === kid && (key.withdrawnAt || key.goodUntil >= soon)))
    const past = keys.some(({ goodUntil, withdrawnAt }) => !withdrawnAt && goodUntil < now)
    if (!due && !past) return { now, publications: keys.map(publicationOf) }
    await this.#transaction(db => this.#write(held, db))
    const written = await this.list()
    return { now: written.now, publications: written.keys.map(publicationOf) }
  }

  /** All keys, newest first, with the time of the database in milliseconds since 1970. */
  async list(): Promise<{ readonly now: number; readonly keys: readonly SigningKey[] }> {
    const { rows } = await sql<{ now: Date } & Partial<Selectable<SigningKeysTable>>>`
      select clock.now, signing_keys.* from (select clock_timestamp() as now) clock left join signing_keys on true
      order by number desc`.execute(this.#db)
    return {
      now: rows[0]?.now.getTime() ?? 0,
      keys: rows.flatMap(row => (row.kid ? [signingKeyOf(row as Selectable<SigningKeysTable>)] : [])),
    }
  }

  /**
   * Instances stop signing with the key, and refuse what it signed, as soon as they check again.
   * @returns false if there is no such key
   */
  async withdraw(kid: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('signing_keys')
      .set({ withdrawn_at: sql`coalesce(withdrawn_at, clock_timestamp())` })
      .where('kid', '=', kid)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async #write(held: readonly PublishedKey[], db: Connection): Promise<void> {
    // One instance at a time decides in which order keys were published, and which was the very first.
    await sql`lock table signing_keys in share row exclusive mode`.execute(db)
    const { activationSeconds, keepSeconds } = this.#lifetimes
    const later = (seconds: number) => sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`
    const others = await db.selectFrom('signing_keys').select('kid').where('withdrawn_at', 'is', null).execute()
    // The first key signs at once: no verifier can have cached others yet.
    const delay = others.length === 0 ? 0 : activationSeconds
    for (const { kid, n, e } of held) {
      await db
        .insertInto('signing_keys')
        .values({
          kid,
          modulus: n,
          exponent: e,
          published_at: later(0),
          signs_from: later(delay),
          good_until: later(keepSeconds),
          withdrawn_at: null,
        })
        .onConflict(conflict =>
          conflict
            .column('kid')
            .doUpdateSet({ good_until: sql`greatest(signing_keys.good_until, excluded.good_until)` }),
        )
        .execute()
    }
    await db
      .deleteFrom('signing_keys')
      .where('withdrawn_at', 'is', null)
      .where('good_until', '<', sql<Date>`clock_timestamp()`)
      .execute()
  }
}

function signingKeyOf(row: Selectable<SigningKeysTable>): SigningKey {
  return {
    kid: row.kid,
    modulus: row.modulus,
    exponent: row.exponent,
    signsFrom: row.signs_from.getTime(),
    goodUntil: row.good_until.getTime(),
    withdrawnAt: row.withdrawn_at?.getTime(),
  }
}

function publicationOf({ kid, modulus, exponent, signsFrom, withdrawnAt }: SigningKey): KeyPublication {
  return {
    key: { kty: 'RSA', n: modulus, e: exponent, kid, alg: 'RS256', use: 'sig' },
    signsFrom,
    withdrawn: withdrawnAt !== undefined,
  }
}
