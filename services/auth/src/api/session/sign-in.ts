import { CREDENTIALS_INVALID, type SignedIn, type SignIn, type SignUp } from '@blog-platform/auth-contract'
import type { PasswordHasher } from 'tsmicro/passwords'
import type { RunInTransaction } from '../../database/connection.ts'
import type { SignInThrottle } from '../sign-in-throttle/throttle.ts'
import type { UserAnnouncements } from '../user/announcements.ts'
import { signedInUserOf } from '../user/dto.ts'
import type { User } from '../user/model.ts'
import type { UserRepository } from '../user/repository.ts'
import type { SessionService } from './service.ts'

export interface SignInServiceParts {
  readonly users: UserRepository
  readonly sessions: SessionService
  readonly passwords: PasswordHasher
  readonly throttle: SignInThrottle
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

  /**
   * @param address where the attempt comes from
   * @param signal aborts when nobody waits for the answer any more
   * @throws {CREDENTIALS_INVALID} the same for an unknown e-mail and a wrong password, after the same work
   * @throws {TOO_MANY_REQUESTS} likewise, after too many of these
   */
  async signIn({ email, password }: SignIn, address: string, signal?: AbortSignal): Promise<SignedIn> {
    const { sessions, throttle } = this.#parts
    const account = normalizeEmail(email)
    const user = await throttle.attempt(account, address, () => this.#check(account, password), signal)
    if (!user) throw new CREDENTIALS_INVALID()
    const session = await sessions.begin(user.id)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }

  async #check(email: string, password: string): Promise<User | undefined> {
    const { users, passwords } = this.#parts
    const credentials = await users.findCredentials(email)
    const fits = await passwords.verify(credentials?.passwordHash, password)
    const user = credentials && fits ? await users.findById(credentials.id) : undefined
    if (credentials && user && passwords.needsRehash(credentials.passwordHash)) {
      await users.changePasswordHash(user.id, await passwords.hash(password))
    }
    return user
  }
}

/** Upper and lower case are the same mailbox everywhere in practice. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase()
}
