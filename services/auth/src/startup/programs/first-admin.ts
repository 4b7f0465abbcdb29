import { randomBytes } from 'node:crypto'
import { EMAIL_TAKEN } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/auth'
import type { Announcements } from '../../api/announcements.ts'
import type { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { generateApiKey } from '../../api/api-key/service.ts'
import { endSessionsOf } from '../../api/session/repository.ts'
import type { UserRepository } from '../../api/user/repository.ts'
import type { Change, Connection, RunInTransaction } from '../../database.ts'

/** Nothing was created. The message is one line that says why. */
class BootstrapError extends Error {}

export interface BootstrapParts {
  readonly apiKeys: ApiKeyRepository
  readonly users: UserRepository
  readonly announcements: Announcements
  readonly passwords: PasswordHasher
  readonly transaction: RunInTransaction
}

export interface Admin {
  readonly email: string
  /** Absent = one is generated. */
  readonly password: string | undefined
  /** The comment of the API key. */
  readonly comment: string
}

export interface Bootstrapped {
  readonly password: string
  readonly apiKey: string
}

/**
 * Creates the first administrator and the first API key: both or neither.
 * @throws {BootstrapError} if there already is an administrator, or the e-mail address is taken
 */
export function createFirstAdmin(
  parts: BootstrapParts,
  { name, ...admin }: Admin & { readonly name: string },
): Promise<Bootstrapped> {
  const { users } = parts
  const { email } = admin
  return withKey(parts, admin, async (passwordHash, db) => {
    // The lock lets only one of two concurrent runs create the administrator; the other one then finds it.
    const role = await users.lockRole('ADMIN', db)
    if (await users.isHeld(role, db)) {
      throw new BootstrapError(
        'there already is an administrator: sign in as one, or if you cannot, see --recover and --api-key in --help',
      )
    }
    await users.create({ email, passwordHash, name, role: 'ADMIN' }, db).catch(cause => {
      if (!(cause instanceof EMAIL_TAKEN)) throw cause
      throw new BootstrapError(`an account with the e-mail address ${email} already exists: use another one`, { cause })
    })
  })
}

/**
 * The way back in: gives an account a new password, reopens it and makes it an administrator's, and creates another API key.
 * The account's sessions end, so that anyone who had the old password is signed out.
 * @throws {BootstrapError} if there is no such account
 */
export function recoverAdmin(parts: BootstrapParts, admin: Admin): Promise<Bootstrapped> {
  return withKey(parts, admin, async (passwordHash, db) => {
    await parts.users.lockRole('ADMIN', db)
    const id = await parts.users.recover(admin.email, passwordHash, db)
    if (id === undefined) throw new BootstrapError(`there is no account with the e-mail address ${admin.email}`)
    await endSessionsOf(id, parts.announcements, db)
  })
}

/** Creates another API key, for when the last one is revoked, expired or lost. */
export async function createWriterKey(apiKeys: ApiKeyRepository, comment: string, db?: Connection): Promise<string> {
  const key = generateApiKey()
  await apiKeys.create({ key, comment, permissions: ['READ', 'WRITE'] }, db)
  return key
}

async function withKey(
  { apiKeys, passwords, transaction }: BootstrapParts,
  { password = randomBytes(18).toString('base64url'), comment }: Admin,
  makeAdmin: (passwordHash: string, db: Change) => Promise<void>,
): Promise<Bootstrapped> {
  const passwordHash = await passwords.hash(password)
  return transaction(async db => {
    await makeAdmin(passwordHash, db)
    return { password, apiKey: await createWriterKey(apiKeys, comment, db) }
  })
}
