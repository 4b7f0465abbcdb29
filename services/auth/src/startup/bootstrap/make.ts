import { randomBytes } from 'node:crypto'
import { EMAIL_TAKEN } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/auth'
import { generateApiKey } from '../../api/api-key/generate.ts'
import type { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { endSessionsOf } from '../../api/session/repository.ts'
import type { UserRepository } from '../../api/user/repository.ts'
import type { RunInTransaction } from '../../database/connection.ts'

/** Nothing was made; the message is one line that says why. */
class BootstrapError extends Error {}

export interface BootstrapParts {
  readonly apiKeys: ApiKeyRepository
  readonly users: UserRepository
  readonly passwords: PasswordHasher
  readonly transaction: RunInTransaction
}

export interface AdminToMake {
  readonly email: string
  /** Absent = one is made. */
  readonly password: string | undefined
  /** Of the API key. */
  readonly comment: string
}

export interface Bootstrapped {
  readonly password: string
  readonly apiKey: string
}

/**
 * Makes the first administrator and the first API key: both or none.
 * @throws {BootstrapError} when there is an administrator already, or the e-mail is taken
 */
export async function makeFirstAdmin(
  parts: BootstrapParts,
  { email, name, password, comment }: AdminToMake & { readonly name: string },
): Promise<Bootstrapped> {
  const { apiKeys, users, passwords, transaction } = parts
  const made = { password: password ?? randomBytes(18).toString('base64url'), apiKey: generateApiKey() }
  const passwordHash = await passwords.hash(made.password)
  await transaction(async db => {
    // Locked, so that of two that are started at the same time one makes the administrator and the other sees it.
    const role = await users.lockRole('ADMIN', db)
    if (await users.isHeld(role, db)) {
      throw new BootstrapError(
        'there is an administrator already: sign in as one, or see --recover and --api-key in --help when you cannot',
      )
    }
    await users.create({ email, passwordHash, name, role: 'ADMIN' }, db)
    await apiKeys.create({ key: made.apiKey, comment, permissions: ['READ', 'WRITE'] }, db)
  }).catch(cause => {
    if (!(cause instanceof EMAIL_TAKEN)) throw cause
    throw new BootstrapError(`there is an account with the e-mail ${email} already: give another one`, { cause })
  })
  return made
}

/**
 * The way back in: a new password for an account, which is an open one and an administrator's then, and a further API key.
 * Its sessions end: whoever had the old password is out.
 * @throws {BootstrapError} when there is no such account
 */
export async function recoverAdmin(
  { apiKeys, users, passwords, transaction }: BootstrapParts,
  { email, password, comment }: AdminToMake,
): Promise<Bootstrapped> {
  const made = { password: password ?? randomBytes(18).toString('base64url'), apiKey: generateApiKey() }
  const passwordHash = await passwords.hash(made.password)
  await transaction(async db => {
    await users.lockRole('ADMIN', db)
    const id = await users.recover(email, passwordHash, db)
    if (id === undefined) throw new BootstrapError(`there is no account with the e-mail ${email}`)
    await endSessionsOf(id, db)
    await apiKeys.create({ key: made.apiKey, comment, permissions: ['READ', 'WRITE'] }, db)
  })
  return made
}

/** One more API key, for when the last one is revoked, expired or lost. */
export async function makeApiKey({ apiKeys }: Pick<BootstrapParts, 'apiKeys'>, comment: string): Promise<string> {
  const key = generateApiKey()
  await apiKeys.create({ key, comment, permissions: ['READ', 'WRITE'] })
  return key
}
