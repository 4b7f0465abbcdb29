import { CREDENTIALS_INVALID, type SignedIn, type SignIn, type SignUp } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/auth'
import type { RunInTransaction } from '../../database/connection.ts'
import type { UserAnnouncements } from '../user/announcements.ts'
import { signedInUserOf } from '../user/dto.ts'
import type { UserRepository } from '../user/repository.ts'
import type { SessionService } from './service.ts'

export interface SignInServiceParts {
  readonly users: UserRepository
  readonly sessions: SessionService
  readonly passwords: PasswordHasher
  readonly announcements: UserAnnouncements
  readonly transaction: RunInTransaction
}

/** Makes accounts and lets their owners in. */
export class SignInService {
  readonly #parts: SignInServiceParts

  constructor(parts: SignInServiceParts) {
    this.#parts = parts
  }

  /** @throws {EMAIL_TAKEN} */
  async signUp({ email, password, name, profilePicUrl }: SignUp): Promise<SignedIn> {
    const { users, sessions, passwords, announcements, transaction } = this.#parts
    const passwordHash = await passwords.hash(password)
    const { user, session } = await transaction(async db => {
      const user = await users.create(
        { email: normalizeEmail(email), passwordHash, name, profilePicUrl, role: 'LEARNER' },
        db,
      )
      return { user, session: await sessions.begin(user.id, db) }
    })
    await announcements.created(user)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }

  /** @throws {CREDENTIALS_INVALID} the same for an unknown e-mail and a wrong password, after the same work */
  async signIn({ email, password }: SignIn): Promise<SignedIn> {
    const { users, sessions, passwords } = this.#parts
    const credentials = await users.findCredentials(normalizeEmail(email))
    const fits = await passwords.verify(credentials?.passwordHash, password)
    const user = credentials && fits ? await users.findById(credentials.id) : undefined
    if (!credentials || !user) throw new CREDENTIALS_INVALID()
    if (passwords.needsRehash(credentials.passwordHash)) {
      await users.changePasswordHash(user.id, await passwords.hash(password))
    }
    const session = await sessions.begin(user.id)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }
}

/** Upper and lower case are the same mailbox everywhere in practice. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase()
}
