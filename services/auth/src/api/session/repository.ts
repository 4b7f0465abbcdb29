import { sql } from 'kysely'
import type { Connection } from '../../database/connection.ts'
import type { Session } from './model.ts'

/** The only code that reads and writes sessions. */
export class SessionRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  async create(session: Session, expiresAt: Date, db: Connection = this.#db): Promise<void> {
    await db
      .insertInto('sessions')
      .values({
        id: session.id,
        user_id: session.userId,
        access_id: session.accessId,
        refresh_id: session.refreshId,
        previous_refresh_id: null,
        issued_at: fromSeconds(session.issuedAt),
        expires_at: expiresAt,
        revoked_at: null,
      })
      .execute()
  }

  /** A living session of a living user, locked until the transaction ends: renewals happen one after the other. */
  async lock(id: string, db: Connection): Promise<Session | undefined> {
    const row = await living(db).where('sessions.id', '=', id).forUpdate('sessions').executeTakeFirst()
    return toSession(row)
  }

  /** The session of an access token that is still the newest one; `undefined` when it was renewed, ended or closed. */
  async findByAccess(id: string, accessId: string): Promise<Session | undefined> {
    const row = await living(this.#db)
      .where('sessions.id', '=', id)
      .where('access_id', '=', accessId)
      .executeTakeFirst()
    return toSession(row)
  }

  async renew(session: Session, expiresAt: Date, db: Connection): Promise<void> {
    await db
      .updateTable('sessions')
      .set({
        access_id: session.accessId,
        refresh_id: session.refreshId,
        previous_refresh_id: session.previousRefreshId ?? null,
        issued_at: fromSeconds(session.issuedAt),
        expires_at: expiresAt,
      })
      .where('id', '=', session.id)
      .execute()
  }

  async revoke(id: string, db: Connection = this.#db): Promise<void> {
    await db
      .updateTable('sessions')
      .set({ revoked_at: sql`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute()
  }

  /** Sessions that ended a day ago or more tell nothing any more. */
  async deleteEnded(): Promise<void> {
    await this.#db.deleteFrom('sessions').where('expires_at', '<', sql<Date>`now() - interval '1 day'`).execute()
  }
}

function living(db: Connection) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .selectAll('sessions')
    .where('users.status', '=', true)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
}

type Row = Awaited<ReturnType<ReturnType<typeof living>['executeTakeFirst']>>

function toSession(row: Row): Session | undefined {
  if (!row) return undefined
  return {
    id: row.id,
    userId: row.user_id,
    accessId: row.access_id,
    refreshId: row.refresh_id,
    previousRefreshId: row.previous_refresh_id ?? undefined,
    issuedAt: Math.floor(row.issued_at.getTime() / 1000),
  }
}

function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000)
}
