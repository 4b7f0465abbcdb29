import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { EMAIL_TAKEN, type ProfileChange, type RoleName } from '@blog-platform/auth-contract'
import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compileQuery, isUniqueViolation } from 'tsmicro/postgres'
import type { Change, Connection, Tables } from '../../database.ts'
import type { Announcements } from '../announcements.ts'
import type { NewUser, User } from './model.ts'

/** The only code that reads and writes users and their roles. What others may know of a change is announced with it. */
export class UserRepository {
  readonly #db: Connection
  readonly #announcements: Announcements

  constructor(db: Connection, announcements: Announcements) {
    this.#db = db
    this.#announcements = announcements
  }

  /** @throws {EMAIL_TAKEN} as the unique constraint says: of two concurrent sign-ups exactly one gets the address */
  async create({ email, passwordHash, name, profilePicUrl, role }: NewUser, db: Change): Promise<User> {
    const id = randomUUID()
    const row = { id, email, password_hash: passwordHash, name, profile_pic_url: profilePicUrl ?? null }
    await db
      .insertInto('users')
      .values({ ...row, announced_version: FIRST_VERSION })
      .execute()
      .catch(cause => {
        throw isUniqueViolation(cause, 'users_email_key') ? new EMAIL_TAKEN(undefined, { cause }) : cause
      })
    await this.#grant(id, [role], db)
    const created = await this.findById(id, db)
    if (!created) throw new Error('a user disappeared while being created')
    await this.#announcements.userCreated(created, db)
    return created
  }

  async findById(id: string, db: Connection = this.#db): Promise<User | undefined> {
    const [row] = await findOpen(db, { id })
    return toUser(row)
  }

  async findCredentials(email: string): Promise<{ readonly id: string; readonly passwordHash: string } | undefined> {
    const row = await this.#db
      .selectFrom('users')
      .select(['id', 'password_hash'])
      .where('email', '=', email)
      .where('status', '=', true)
      .executeTakeFirst()
    return row && { id: row.id, passwordHash: row.password_hash }
  }

  /** Reopens an account as an administrator with a new password. Returns its id, or undefined if there is no such account. */
  async recover(email: string, passwordHash: string, db: Change): Promise<string | undefined> {
    const found = await db
      .selectFrom('users')
      .select(['id', 'status'])
      .where('email', '=', email)
      .forUpdate()
      .executeTakeFirst()
    if (!found) return undefined
    const { id, status: isOpen } = found
    await db
      .updateTable('users')
      .set({ password_hash: passwordHash, status: true, updated_at: sql`now()` })
      .where('id', '=', id)
      .execute()
    const user = await this.findById(id, db)
    if (user && !isOpen) await this.#announcements.userUpdated(user, db)
    await this.setRoles(id, [...(user?.roles.map(({ code }) => code) ?? []), 'ADMIN'], db)
    return id
  }

  /** Whether any account has the address. A closed account keeps its address. */
  async isTaken(email: string): Promise<boolean> {
    const row = await this.#db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
    return row !== undefined
  }

  async changePasswordHash(id: string, passwordHash: string): Promise<void> {
    await this.#db.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', id).execute()
  }

  /** Returns the user as this change left it, also if it was so before: then nothing is announced. */
  async changeProfile(id: string, { name, profilePicUrl }: ProfileChange, db: Change): Promise<User | undefined> {
    const changed = await db
      .updateTable('users')
      .set({
        ...(name === undefined ? {} : { name }),
        ...(profilePicUrl === undefined ? {} : { profile_pic_url: profilePicUrl }),
        updated_at: sql`now()`,
      })
      .where('id', '=', id)
      .where('status', '=', true)
      .where(user =>
        user.or([
          ...(name === undefined ? [] : [user('name', '!=', name)]),
          ...(profilePicUrl === undefined ? [] : [user('profile_pic_url', 'is distinct from', profilePicUrl)]),
        ]),
      )
      .returning(COLUMNS)
      .returning(rolesOf)
      .executeTakeFirst()
      .then(toUser)
    if (!changed) return this.findById(id, db)
    await this.#announcements.userUpdated(changed, db)
    return changed
  }

  async rolesOf(id: string): Promise<readonly RoleName[]> {
    const rows = await findRoles(this.#db, { id })
    return rows.map(({ code }) => code)
  }

  /** Replaces a user's roles. Those of one user are changed one at a time: see {@link lockRole}. */
  async setRoles(id: string, codes: readonly RoleName[], db: Change): Promise<User | undefined> {
    const before = await this.findById(id, db)
    await db.deleteFrom('user_roles').where('user_id', '=', id).execute()
    await this.#grant(id, codes, db)
    const user = await this.findById(id, db)
    if (user && !isDeepStrictEqual(user.roles, before?.roles)) await this.#announcements.userRolesChanged(user, db)
    return user
  }

  /**
   * Announces some of the open accounts whose state was not announced: those from before events were kept, and those that an instance of the
   * former version has changed. Several instances may do so at once. Returns whether there may be more.
   */
  async announceSome(limit: number, db: Change): Promise<boolean> {
    const rows = await db
      .selectFrom('users')
      .select(COLUMNS)
      .select(rolesOf)
      .select('users.version')
      .where('users.status', '=', true)
      .where(sql<boolean>`announced_version is distinct from version`)
      .orderBy('id')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute()
    for (const row of rows) await this.#announceAsOfNow(row, db)
    return rows.length === limit
  }

  /** Announces the state of an open account once more. Returns whether there is one. */
  async announceAgain(id: string, db: Change): Promise<boolean> {
    const row = await select(db).select('users.version').where('users.id', '=', id).forUpdate().executeTakeFirst()
    if (row) await this.#announceAsOfNow(row, db)
    return row !== undefined
  }

  /** The ids of open accounts after this one, in order. */
  async idsAfter(id: string, limit: number): Promise<readonly string[]> {
    const query = this.#db.selectFrom('users').select('id').where('status', '=', true).where('id', '>', id)
    const rows = await query.orderBy('id').limit(limit).execute()
    return rows.map(row => row.id)
  }

  async #announceAsOfNow({ version, ...row }: NonNullable<Row> & { version: number }, db: Change): Promise<void> {
    const user = toUser(row)
    if (user) await this.#announcements.userAsOfNow(user, version, db)
    await db.updateTable('users').set({ announced_version: version }).where('id', '=', row.id).execute()
  }

  /** Locks a role until the transaction ends, so that changes to who holds it happen one at a time. Returns its id. */
  async lockRole(code: RoleName, db: Connection): Promise<string> {
    const query = db.selectFrom('roles').select('id').where('code', '=', code).forUpdate()
    return (await query.executeTakeFirstOrThrow()).id
  }

  /** Whether any open account holds a role. */
  async isHeld(roleId: string, db: Connection): Promise<boolean> {
    return (await holders(roleId, db).executeTakeFirst()) !== undefined
  }

  /** Whether any open account other than this user's holds a role. */
  async isHeldByOthers(roleId: string, id: string, db: Connection): Promise<boolean> {
    return (await holders(roleId, db).where('users.id', '!=', id).executeTakeFirst()) !== undefined
  }

  async #grant(id: string, codes: readonly RoleName[], db: Connection): Promise<void> {
    await db
      .insertInto('user_roles')
      .columns(['user_id', 'role_id'])
      .expression(roles =>
        roles
          .selectFrom('roles')
          .select([sql<string>`${id}::uuid`.as('user_id'), 'id'])
          .where('code', 'in', codes),
      )
      .onConflict(conflict => conflict.doNothing())
      .execute()
  }
}

/** The default of the column `version`. */
const FIRST_VERSION = 1

const COLUMNS = ['users.id', 'users.email', 'users.name', 'users.profile_pic_url', 'users.verified'] as const

function select(db: Connection) {
  return db.selectFrom('users').select(COLUMNS).select(rolesOf).where('users.status', '=', true)
}

const findOpen = compileQuery((db: Connection, { id }: { id: string }) => select(db).where('users.id', '=', id))

const findRoles = compileQuery((db: Connection, { id }: { id: string }) =>
  db
    .selectFrom('user_roles')
    .innerJoin('users', 'users.id', 'user_roles.user_id')
    .innerJoin('roles', 'roles.id', 'user_roles.role_id')
    .select('roles.code')
    .where('users.id', '=', id)
    .where('users.status', '=', true),
)

/**
 * One of the users who hold a role. It is looked up by id: if it were joined by name, PostgreSQL would assume that all roles
 * are equally frequent and read the whole table to find the few administrators.
 */
function holders(roleId: string, db: Connection) {
  return db
    .selectFrom('user_roles')
    .innerJoin('users', 'users.id', 'user_roles.user_id')
    .select('users.id')
    .where('user_roles.role_id', '=', roleId)
    .where('users.status', '=', true)
    .limit(1)
}

export function rolesOf(user: ExpressionBuilder<Tables, 'users'>) {
  const granted = user
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.id', 'user_roles.role_id')
    .select(['roles.id', 'roles.code'])
    .whereRef('user_roles.user_id', '=', 'users.id')
    .orderBy('roles.code')
  return jsonArrayFrom(granted).as('roles')
}

type Row = Awaited<ReturnType<typeof findOpen>>[number] | undefined

export function toUser(row: Row): User | undefined {
  if (!row) return undefined
  const { profile_pic_url, ...user } = row
  return { ...user, profilePicUrl: profile_pic_url ?? undefined }
}
