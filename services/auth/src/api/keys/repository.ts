import { sql } from 'kysely'
import type { KeyPublication, KeyPublications, PublicationRecord, PublishedKey } from 'tsmicro/auth'
import type { Connection, RunInTransaction } from '../../database/connection.ts'
import type { SigningKey } from './model.ts'

export interface KeyLives {
  /** From being published to signing. */
  readonly activationSeconds: number
  /** From the last signature to being forgotten. */
  readonly keepSeconds: number
}

/** `good_until` is moved on this rarely; the lives have a margin that is longer. */
const MOVE_ON_SECONDS = 30

/** The only code that reads and writes the published signing keys. */
export class SigningKeyRepository implements KeyPublications {
  readonly #db: Connection
  readonly #transaction: RunInTransaction
  readonly #lives: KeyLives

  constructor(db: Connection, transaction: RunInTransaction, lives: KeyLives) {
    this.#db = db
    this.#transaction = transaction
    this.#lives = lives
  }

  /** Enters new keys, keeps those that are held, forgets those that nobody's token needs any more. Mostly one query. */
  async publish(held: readonly PublishedKey[]): Promise<PublicationRecord> {
    const { now, keys } = await this.list()
    const soon = now + (this.#lives.keepSeconds - MOVE_ON_SECONDS) * 1000
    const due = held.some(({ kid }) => !keys.some(key => key.kid === kid && (key.withdrawnAt || key.goodUntil >= soon)))
    const past = keys.some(({ goodUntil, withdrawnAt }) => !withdrawnAt && goodUntil < now)
    if (!due && !past) return { now, publications: keys.map(publicationOf) }
    await this.#transaction(db => this.#write(held, db))
    const written = await this.list()
    return { now: written.now, publications: written.keys.map(publicationOf) }
  }

  /** All of them, newest first, and the database's clock in milliseconds since 1970. */
  async list(): Promise<{ readonly now: number; readonly keys: readonly SigningKey[] }> {
    const { rows } = await sql<{ now: Date } & Partial<Row>>`
      select clock.now, signing_keys.* from (select clock_timestamp() as now) clock left join signing_keys on true
      order by number desc`.execute(this.#db)
    return { now: rows[0]?.now.getTime() ?? 0, keys: rows.flatMap(row => (row.kid ? [signingKeyOf(row as Row)] : [])) }
  }

  /** From the next look on no instance signs with it or accepts what it signed. @returns false when there is no such key */
  async withdraw(kid: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('signing_keys')
      .set({ withdrawn_at: sql`coalesce(withdrawn_at, clock_timestamp())` })
      .where('kid', '=', kid)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async #write(held: readonly PublishedKey[], db: Connection): Promise<void> {
    // One instance after the other: which key was published first, and whether it was the first of all, is one decision.
    await sql`lock table signing_keys in share row exclusive mode`.execute(db)
    const { activationSeconds, keepSeconds } = this.#lives
    const later = (seconds: number) => sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`
    const others = await db.selectFrom('signing_keys').select('kid').where('withdrawn_at', 'is', null).execute()
    // Nobody waits for the first one: there are no verifiers yet that know another.
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

interface Row {
  readonly kid: string
  readonly modulus: string
  readonly exponent: string
  readonly published_at: Date
  readonly signs_from: Date
  readonly good_until: Date
  readonly withdrawn_at: Date | null
}

function signingKeyOf(row: Row): SigningKey {
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
