import type { GrantedAccess, RoleName, TokenUser } from '@blog-platform/auth-contract'
import { type Selectable, sql } from 'kysely'
import type { TokenClaims } from 'tsmicro/auth'
import { compileQuery } from 'tsmicro/postgres'
import type { Change, Connection, SessionsTable } from '../../database.ts'
import type { Announcements } from '../announcements.ts'
import { publicProfileOf, type User } from '../user/model.ts'
import { rolesOf, toUser } from '../user/repository.ts'
import type { NewPair, Session, SessionLimits } from './model.ts'

/** Ended sessions that each new one deletes: more than are added, so they cannot pile up, but few enough to be fast. */
const CLEAN_UP = 10

/**
 * The only code that reads and writes sessions; {@link endSessionsOf} beside it needs no limits. All times are the database's, because the
 * clocks of instances differ. A session that ends before its time is announced, once.
 */
export class SessionRepository {
  readonly #db: Connection
  readonly #limits: SessionLimits
  readonly #announcements: Announcements
  readonly #findOwner = compileQuery((db: Connection, owned: OwnedToken) => this.#owner(db, owned))
  readonly #findAccount = compileQuery((db: Connection, owned: OwnedToken) =>
    this.#owner(db, owned).select(['users.email', 'users.verified']).select(rolesOf),
  )
  readonly #findAccess = compileQuery((db: Connection, owned: OwnedToken) =>
    this.#owner(db, owned).select(({ selectFrom }) => [
      'sessions.id as sessionId',
      sql<RoleName[]>`array(${selectFrom('user_roles')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .select('roles.code')
        .whereRef('user_roles.user_id', '=', 'users.id')})`.as('roles'),
      sql<string>`(${selectFrom('access_position').select('number')})`.as('number'),
      sql<number>`(extract(epoch from least(expires_at, ${after(sql`sessions.created_at`, this.#limits.maxSeconds)}) - now()) * 1000)::float8`.as(
        'endsInMs',
      ),
    ]),
  )
  readonly #exchange = compileQuery((db: Connection, exchange: NewPair & UsedPair) => {
    const { refreshSeconds, maxSeconds } = this.#limits
    return db
      .updateTable('sessions')
      .from('users')
      .set({
        access_id: exchange.accessId,
        refresh_id: exchange.refreshId,
        previous_refresh_id: exchange.usedRefreshId,
        issued_at: sql`now()`,
        answered_ms: null,
        issuer_ahead_seconds: aheadOfDatabase(exchange),
        expires_at: sql`least(${after(sql`now()`, refreshSeconds)}, ${after(sql`sessions.created_at`, maxSeconds)})`,
      })
      .whereRef('users.id', '=', 'sessions.user_id')
      .where('sessions.id', '=', exchange.sessionId)
      .where('sessions.user_id', '=', exchange.userId)
      .where('sessions.refresh_id', '=', exchange.usedRefreshId)
      .where('sessions.access_id', '=', exchange.usedAccessId)
      .where('users.status', '=', true)
      .where('sessions.revoked_at', 'is', null)
      .where('sessions.expires_at', '>', sql<Date>`now()`)
      .where('sessions.created_at', '>', after(sql`now()`, -maxSeconds))
      .returning(COLUMNS)
  })
  readonly #find = compileQuery((db: Connection, { id }: { id: string }) =>
    this.#active(db)
      .select(COLUMNS)
      .select(
        sql<number>`(extract(epoch from clock_timestamp() - sessions.issued_at) * 1000)::float8`.as('since_issued_ms'),
      )
      .where('sessions.id', '=', id),
  )

  constructor(db: Connection, limits: SessionLimits, announcements: Announcements) {
    this.#db = db
    this.#limits = limits
    this.#announcements = announcements
  }

  async create(id: string, userId: string, pair: NewPair, db: Connection = this.#db): Promise<Session> {
    const { refreshSeconds, maxSeconds } = this.#limits
    const row = await db
      .insertInto('sessions')
      .values({
        id,
        user_id: userId,
        access_id: pair.accessId,
        refresh_id: pair.refreshId,
        previous_refresh_id: null,
        issued_at: sql`now()`,
        answered_ms: 0,
        issuer_ahead_seconds: aheadOfDatabase(pair),
        expires_at: after(sql`now()`, Math.min(refreshSeconds, maxSeconds)),
        revoked_at: null,
      })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow()
    return this.#toSession({ ...row, since_issued_ms: 0 })
  }

  /**
   * Exchanges the newest pair of an active session for the next one. Returns undefined if the pair is not the newest. As it is
   * a single statement, an instance that freezes holds no lock, and of two concurrent exchanges exactly one succeeds.
   */
  async exchange(access: TokenClaims, refresh: TokenClaims, next: NewPair): Promise<Session | undefined> {
    const [row] = await this.#exchange(this.#db, {
      ...next,
      sessionId: refresh.sessionId,
      userId: refresh.subject,
      usedRefreshId: refresh.id,
      usedAccessId: access.id,
    })
    return row && this.#toSession({ ...row, since_issued_ms: 0 })
  }

  /** An active session of a user whose account is open. */
  async find(id: string): Promise<Session | undefined> {
    const [row] = await this.#find(this.#db, { id })
    return row && this.#toSession(row)
  }

  /** Records how long after its issue the newest pair was first sent to somebody. Later answers do not count. */
  async answered({ id, refreshId }: Session, afterMs: number): Promise<void> {
    await this.#db
      .updateTable('sessions')
      .set({ answered_ms: afterMs })
      .where('id', '=', id)
      .where('refresh_id', '=', refreshId)
      .where('answered_ms', 'is', null)
      .execute()
  }

  /**
   * The user of a verified access token, or undefined if its session was renewed or has ended, its key was withdrawn, or the account is
   * closed. Takes one query, because every request of every signed-in user asks this.
   */
  async findOwner(claims: TokenClaims): Promise<TokenUser | undefined> {
    const [row] = await this.#findOwner(this.#db, claims)
    return row && { ...profileOf(row), sessionId: claims.sessionId }
  }

  /** The same with the whole account, for requests to this service. */
  async findAccount(claims: TokenClaims): Promise<User | undefined> {
    const [row] = await this.#findAccount(this.#db, claims)
    return toUser(row)
  }

  /** The same with what the token permits, and which changes that contains: all as of the same moment. */
  async findAccess(claims: TokenClaims): Promise<GrantedAccess | undefined> {
    const [row] = await this.#findAccess(this.#db, claims)
    if (!row) return undefined
    const { id, sessionId, roles, number, endsInMs } = row
    return { user: { id, profile: profileOf(row) }, sessionId, roles, number: Number(number), endsInMs }
  }

  async revoke(id: string, db: Change): Promise<void> {
    const [ended] = await revoking(db).where('id', '=', id).execute()
    if (ended) await this.#announcements.sessionRevoked(ended, db)
  }

  /** Deletes the sessions beyond a user's limit: ended ones first, then those not renewed for the longest time. */
  async deleteSurplus(userId: string, db: Change): Promise<void> {
    // One after the other for each user: rows that another one has locked are skipped below, and would not be counted.
    await db.selectFrom('users').select('id').where('id', '=', userId).forNoKeyUpdate().execute()
    const surplus = db
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', userId)
      .orderBy(sql`revoked_at is not null`)
      .orderBy('issued_at', 'desc')
      .offset(this.#limits.perUser)
      .forUpdate()
      .skipLocked()
    const deleted = await db
      .deleteFrom('sessions')
      .where('id', 'in', surplus)
      .returning(['id as sessionId', 'user_id as userId'])
      .returning(sql<boolean>`revoked_at is null and expires_at > now()`.as('active'))
      .execute()
    for (const { active, ...session } of deleted) if (active) await this.#announcements.sessionRevoked(session, db)
  }

  /** Deletes a few of the sessions that ended a day ago or more, which are no longer needed. */
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

  #owner(db: Connection, owned: OwnedToken) {
    return this.#active(db)
      .select(['users.id', 'users.name', 'users.profile_pic_url'])
      .where('sessions.id', '=', owned.sessionId)
      .where('sessions.access_id', '=', owned.id)
      .where('sessions.user_id', '=', owned.subject)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('signing_keys').where('kid', '=', owned.keyId).where('withdrawn_at', 'is not', null))),
      )
  }

  #active(db: Connection) {
    return db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .where('users.status', '=', true)
      .where('sessions.revoked_at', 'is', null)
      .where('sessions.expires_at', '>', sql<Date>`now()`)
      .where('sessions.created_at', '>', after(sql`now()`, -this.#limits.maxSeconds))
  }

  #toSession(row: Row): Session {
    const { issuer_ahead_seconds: ahead } = row
    return {
      id: row.id,
      userId: row.user_id,
      accessId: row.access_id,
      refreshId: row.refresh_id,
      previousRefreshId: row.previous_refresh_id ?? undefined,
      issuedAt: toSeconds(row.issued_at) + ahead,
      endsAt: toSeconds(row.created_at) + this.#limits.maxSeconds + ahead,
      sinceIssuedMs: row.since_issued_ms,
      answeredMs: row.answered_ms ?? undefined,
    }
  }
}

type OwnedToken = Pick<TokenClaims, 'id' | 'sessionId' | 'subject' | 'keyId'>
type UsedPair = Readonly<Record<'sessionId' | 'userId' | 'usedAccessId' | 'usedRefreshId', string>>

function profileOf({ profile_pic_url, ...user }: { id: string; name: string; profile_pic_url: string | null }) {
  return publicProfileOf({ ...user, profilePicUrl: profile_pic_url ?? undefined })
}

/** Ends all sessions of a user. */
export async function endSessionsOf(userId: string, announcements: Announcements, db: Change): Promise<void> {
  const ended = await revoking(db).where('user_id', '=', userId).execute()
  for (const session of ended) await announcements.sessionRevoked(session, db)
}

/** Revokes the active sessions that are selected. */
function revoking(db: Change) {
  return db
    .updateTable('sessions')
    .set({ revoked_at: sql`now()` })
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .returning(['id as sessionId', 'user_id as userId'])
}

const COLUMNS = [
  'sessions.id',
  'sessions.user_id',
  'sessions.access_id',
  'sessions.refresh_id',
  'sessions.previous_refresh_id',
  'sessions.issued_at',
  'sessions.answered_ms',
  'sessions.issuer_ahead_seconds',
  'sessions.created_at',
] as const

type Column<Name> = Name extends `sessions.${infer Column extends keyof SessionsTable}` ? Column : never
type Row = Pick<Selectable<SessionsTable>, Column<(typeof COLUMNS)[number]>> & { readonly since_issued_ms: number }

function aheadOfDatabase({ issuedAt }: NewPair) {
  return sql<number>`(${issuedAt}::bigint - floor(extract(epoch from now())))::integer`
}

function after(time: ReturnType<typeof sql>, seconds: number) {
  return sql<Date>`${time} + make_interval(secs => ${seconds})`
}

function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
