import { randomUUID } from 'node:crypto'
import { EMAIL_TAKEN, type ProfileChange, type RoleName } from '@blog-platform/auth-contract'
import { type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { isUniqueViolation } from 'tsmicro/postgres'
import type { Connection, Tables } from '../../database.ts'
import type { NewUser, User } from './model.ts'

/** The only code that reads and writes users and their roles. */
export class UserRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  /** @throws {EMAIL_TAKEN} as the unique constraint says: of two concurrent sign-ups exactly one gets the address */
  async create(user: NewUser, db: Connection = this.#db): Promise<User> {
    const id = randomUUID()
    const { email, passwordHash, name, profilePicUrl, role } = user
    await db
      .insertInto('users')
      .values({ id, email, password_hash: passwordHash, name, profile_pic_url: profilePicUrl ?? null })
      .execute()
      .catch(cause => {
        throw isUniqueViolation(cause, 'users_email_key') ? new EMAIL_TAKEN(undefined, { cause }) : cause
      })
    await this.#grant(id, [role], db)
    const created = await this.findById(id, db)
    if (!created) throw new Error('a user disappeared while being created')
    return created
  }

  findById(id: string, db: Connection = this.#db): Promise<User | undefined> {
    return select(db).where('users.id', '=', id).executeTakeFirst().then(toUser)
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
  async recover(email: string, passwordHash: string, db: Connection): Promise<string | undefined> {
    const user = await db
      .updateTable('users')
      .set({ password_hash: passwordHash, status: true, updated_at: sql`now()` })
      .where('email', '=', email)
      .returning('id')
      .executeTakeFirst()
    if (user) await this.#grant(user.id, ['ADMIN'], db)
    return user?.id
  }

  /** Whether any account has the address. A closed account keeps its address. */
  async isTaken(email: string): Promise<boolean> {
    const row = await this.#db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
    return row !== undefined
  }

  async changePasswordHash(id: string, passwordHash: string): Promise<void> {
    await this.#db.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', id).execute()
  }

  /** Returns the user exactly as this change left it, even if others change it too: its version numbers an event. */
  changeProfile(id: string, { name, profilePicUrl }: ProfileChange): Promise<User | undefined> {
    return this.#db
      .updateTable('users')
      .set({
        ...(name === undefined ? {} : { name }),
        ...(profilePicUrl === undefined ? {} : { profile_pic_url: profilePicUrl }),
        version: sql`version + 1`,
        updated_at: sql`now()`,
      })
      .where('id', '=', id)
      .where('status', '=', true)
      .returning(COLUMNS)
      .returning(roles)
      .executeTakeFirst()
      .then(toUser)
  }

  async rolesOf(id: string): Promise<readonly RoleName[]> {
    const rows = await this.#db
      .selectFrom('user_roles')
      .innerJoin('users', 'users.id', 'user_roles.user_id')
      .innerJoin('roles', 'roles.id', 'user_roles.role_id')
      .select('roles.code')
      .where('users.id', '=', id)
      .where('users.status', '=', true)
      .execute()
    return rows.map(({ code }) => code)
  }

  /** Replaces a user's roles. Call it in a transaction. */
  async setRoles(id: string, codes: readonly RoleName[], db: Connection): Promise<User | undefined> {
    await db.deleteFrom('user_roles').where('user_id', '=', id).execute()
    await this.#grant(id, codes, db)
    return this.findById(id, db)
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

const COLUMNS = [
  'users.id',
  'users.email',
  'users.name',
  'users.profile_pic_url',
  'users.verified',
  'users.version',
] as const

function select(db: Connection) {
  return db.selectFrom('users').select(COLUMNS).select(roles).where('users.status', '=', true)
}

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

function roles(user: ExpressionBuilder<Tables, 'users'>) {
  const granted = user
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.id', 'user_roles.role_id')
    .select(['roles.id', 'roles.code'])
    .whereRef('user_roles.user_id', '=', 'users.id')
    .orderBy('roles.code')
  return jsonArrayFrom(granted).as('roles')
}

type Row = Awaited<ReturnType<ReturnType<typeof select>['executeTakeFirst']>>

function toUser(row: Row): User | undefined {
  if (!row) return undefined
  const { profile_pic_url, ...user } = row
  return { ...user, profilePicUrl: profile_pic_url ?? undefined }
}
