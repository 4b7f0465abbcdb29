import { CREDENTIALS_INVALID, EMAIL_TAKEN, type SignedIn, type SignIn, type SignUp } from '@blog-platform/auth-contract'
import type { PasswordHasher, WorkOptions } from 'tsmicro/auth'
import type { RunInTransaction } from '../../database.ts'
import type { Origin } from '../sign-in-throttle/origin.ts'
import type { SignInThrottle } from '../sign-in-throttle/throttle.ts'
import { signedInUserOf, type User } from '../user/model.ts'
import type { UserRepository } from '../user/repository.ts'
import type { SessionService } from './service.ts'

export interface SignInServiceParts {
  readonly users: UserRepository
  readonly sessions: SessionService
  readonly passwords: PasswordHasher
  readonly throttle: SignInThrottle
  readonly transaction: RunInTransaction
}

/** Creates accounts and signs their owners in. */
export class SignInService {
  readonly #parts: SignInServiceParts

  constructor(parts: SignInServiceParts) {
    this.#parts = parts
  }

  /**
   * @param origin where the request comes from
   * @param signal aborts when the caller no longer waits for the answer; a password not hashed by then is not hashed at all
   * @throws {EMAIL_TAKEN}
   * @throws {TOO_MANY_REQUESTS} after too many sign-ups from one address
   */
  async signUp(signUp: SignUp, origin: Origin, signal?: AbortSignal): Promise<SignedIn> {
    const { sessions, throttle } = this.#parts
    const create = () => this.#create(signUp, { kind: 'sign-up', by: origin.address, signal })
    const { user, session } = await throttle.signUp(origin, create, error => error instanceof EMAIL_TAKEN)
    await this.#remember(user, origin)
    return { user: signedInUserOf(user), tokens: await sessions.tokensOf(session) }
  }

  /**
   * @param origin where the attempt comes from
   * @param signal aborts when the caller no longer waits for the answer
   * @throws {CREDENTIALS_INVALID} for an unknown e-mail and a wrong password alike, after the same amount of work
   * @throws {TOO_MANY_REQUESTS} after too many of these, again for both alike
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
    // Checked before the expensive work. That the answer comes sooner reveals no more than the answer itself.
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

  /** A user who is signed in stays signed in, even if remembering the place fails. */
  async #remember({ id }: User, origin: Origin): Promise<void> {
    await this.#parts.throttle.remember(id, origin).catch(() => undefined)
  }
}

/** In practice, upper and lower case always mean the same mailbox. */
function normalizeEmail(email: string): string {
  return email.toLowerCase()
}
