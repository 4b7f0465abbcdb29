import { CREDENTIALS_INVALID, EMAIL_TAKEN, type SignedIn, type SignIn, type SignUp } from '@blog-platform/auth-contract'
import type { PasswordHasher, WorkOptions } from 'tsmicro/auth'
import type { RunInTransaction } from '../../database/connection.ts'
import type { Origin } from '../sign-in-throttle/origin.ts'
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

  /**
   * @param origin where it comes from
   * @param signal aborts when nobody is waiting for the answer: what has not been hashed by then is not
   * @throws {EMAIL_TAKEN}
   * @throws {TOO_MANY_REQUESTS} after too many from one address
   */
  async signUp(signUp: SignUp, origin: Origin, signal?: AbortSignal): Promise<SignedIn> {
    const { sessions, throttle, announcements } = this.#parts
    const make = () => this.#create(signUp, { kind: 'sign-up', by: origin.address, signal })
    const { user, session } = await throttle.signUp(origin, make, error => error instanceof EMAIL_TAKEN)
    await this.#remember(user, origin)
    await announcements.created(user)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }

  /**
   * @param origin where the attempt comes from
   * @param signal aborts when nobody is waiting for the answer
   * @throws {CREDENTIALS_INVALID} the same for an unknown e-mail and a wrong password, after the same work
   * @throws {TOO_MANY_REQUESTS} likewise, after too many of these
   */
  async signIn({ email, password }: SignIn, origin: Origin, signal?: AbortSignal): Promise<SignedIn> {
    const { sessions, throttle } = this.#parts
    const account = normalizeEmail(email)
    const check = (by: string) => this.#check(account, password, { kind: 'sign-in', by, signal })
    const user = await throttle.attempt(account, origin, check, signal)
    if (!user) throw new CREDENTIALS_INVALID()
    await this.#remember(user, origin)
    const session = await sessions.beginOneMore(user.id)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }

  async #create({ email, password, name, profilePicUrl }: SignUp, work: WorkOptions) {
    const { users, sessions, passwords, transaction } = this.#parts
    const account = normalizeEmail(email)
    // Before the hard work. That it answers sooner tells no more than the answer does.
    if (await users.isTaken(account)) throw new EMAIL_TAKEN()
    const passwordHash = await passwords.hash(password, work)
    return transaction(async db => {
      const user = await users.create({ email: account, passwordHash, name, profilePicUrl, role: 'LEARNER' }, db)
      return { user, session: await sessions.begin(user.id, db) }
    })
  }

  async #check(email: string, password: string, work: WorkOptions): Promise<User | undefined> {
    const { users, passwords } = this.#parts
    const credentials = await users.findCredentials(email)
    const fits = await passwords.verify(credentials?.passwordHash, password, work)
    const user = credentials && fits ? await users.findById(credentials.id) : undefined
    if (credentials && user && passwords.needsRehash(credentials.passwordHash)) {
      await users.changePasswordHash(user.id, await passwords.hash(password, { ...work, kind: 'rehash' }))
    }
    return user
  }

  /** Whoever was let in is in, remembered or not. */
  async #remember({ id }: User, origin: Origin): Promise<void> {
    await this.#parts.throttle.remember(id, origin).catch(() => undefined)
  }
}

/** Upper and lower case are the same mailbox everywhere in practice. */
function normalizeEmail(email: string): string {
  return email.toLowerCase()
}
