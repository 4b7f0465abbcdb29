import type { TokenUser } from '@blog-platform/auth-contract'
import { sql } from 'kysely'
import type { TokenClaims } from 'tsmicro/auth'
import type { Connection } from '../../database/connection.ts'
import { publicProfileOf } from '../user/dto.ts'
import type { Session } from './model.ts'

/** Ended sessions that go with each new one: more than come, so they cannot pile up, and little enough not to be felt. */
const CLEAN_UP = 10

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
    const row = await living(db)
      .selectAll('sessions')
      .where('sessions.id', '=', id)
      .forUpdate('sessions')
      .executeTakeFirst()
    return (
      row && {
        id: row.id,
        userId: row.user_id,
        accessId: row.access_id,
        refreshId: row.refresh_id,
        previousRefreshId: row.previous_refresh_id ?? undefined,
        issuedAt: Math.floor(row.issued_at.getTime() / 1000),
      }
    )
  }

  /**
   * The user of a verified access token; `undefined` when its session was renewed or has ended, or the account is closed.
   * Every request of every signed-in user asks this: one query.
   */
  async findOwner({ sessionId, id: accessId, subject }: TokenClaims): Promise<TokenUser | undefined> {
    const row = await living(this.#db)
      .select(['users.id', 'users.name', 'users.profile_pic_url'])
      .where('sessions.id', '=', sessionId)
      .where('sessions.access_id', '=', accessId)
      .where('sessions.user_id', '=', subject)
      .executeTakeFirst()
    return row && { ...publicProfileOf({ ...row, profilePicUrl: row.profile_pic_url ?? undefined }), sessionId }
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

  /** Removes a few of the sessions that ended a day ago or more: they tell nothing any more. */
  async deleteEnded(db: Connection = this.#db): Promise<void> {
    const ended = db
      .selectFrom('sessions')
      .select('id')
      .where('expires_at', '<', sql<Date>`now() - interval '1 day'`)
      .orderBy('expires_at')
      .limit(CLEAN_UP)
      .forUpdate()
      .skipLocked()
    await db.deleteFrom('sessions').where('id', 'in', ended).execute()
  }
}

function living(db: Connection) {
  return db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .where('users.status', '=', true)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', sql<Date>`now()`)
}

function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000)
}
