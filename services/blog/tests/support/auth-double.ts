import { randomUUID } from 'node:crypto'
import {
  profile,
  type RoleName,
  roles,
  sessionEvents,
  USER_NOT_FOUND,
  userEvents,
  validation,
} from '@blog-platform/auth-contract'
import { createPublisher, createService, implement, NatsClient, type Publisher, type Service } from 'tsmicro'
import { createTokenSigner, type KeyRing } from 'tsmicro/auth'
import { createLogger } from 'tsmicro/telemetry'
import { AuthDouble as Accounts } from 'tsmicro/testing'

const ISSUER = 'https://auth.tsmicro.dev'
const AUDIENCE = 'tsmicro'

export interface User {
  readonly id: string
  readonly name: string
  readonly profilePicUrl?: string
  readonly role: RoleName
  /** A signed access token of one session. */
  readonly token: string
}

type Account = Omit<User, 'id' | 'token'>

interface AnnounceOptions {
  readonly as?: number | 'unnumbered'
  readonly profilePicUrl?: string
}

/** What makes a token invalid. */
interface Forgery {
  readonly issuer?: string
  readonly audience?: string
  readonly type?: 'access' | 'refresh'
  readonly keyRing?: Pick<KeyRing, 'current'>
  readonly age?: number
}

/** The part of the contract `profile` that concerns other services. */
const publicProfiles = { publicProfile: profile.publicProfile }

/**
 * Stands in for the auth service at its contract's door: what it offers others over NATS, with real keys and signatures, and
 * accounts that a test can change freely. It can be stopped and restarted.
 */
export class AuthDouble {
  readonly #accounts = new Map<string, Account>()
  /** Tokens, sessions and roles. */
  readonly #access = new Accounts({ issuer: ISSUER, audience: AUDIENCE, roles })
  /** The last number of each user's events. */
  readonly #announced = new Map<string, number>()
  readonly #url: string
  #running: { readonly service: Service; readonly nats: NatsClient } | undefined

  private constructor(url: string) {
    this.#url = url
  }

  static async start(url: string): Promise<AuthDouble> {
    const made = new AuthDouble(url)
    await made.start()
    return made
  }

  async start(): Promise<void> {
    const nats = new NatsClient({ url: this.#url, name: 'auth' })
    const profiles = implement(publicProfiles, {
      publicProfile: ({ input: { id } }) => {
        const account = this.#accounts.get(id)
        if (!account) throw new USER_NOT_FOUND()
        return { id, ...account }
      },
    })
    const handlers = [this.#access.implement(validation), profiles]
    const service = createService({
      name: 'auth',
      version: '0.1.0',
      module: { nats, handlers, publishes: [userEvents, sessionEvents] },
      log: createLogger({ name: 'auth', level: 'silent' }),
    })
    await service.start()
    this.#running = { service, nats }
  }

  async stop(): Promise<void> {
    await this.#running?.service.stop()
    this.#running = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** How often it was asked about a token or a role. */
  get asked(): number {
    return this.#access.asked
  }

  async signUp(role: RoleName, name = `${role} ${randomUUID().slice(0, 4)}`, profilePicUrl?: string): Promise<User> {
    const id = randomUUID()
    const account = { name, role, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
    this.#accounts.set(id, account)
    return { id, ...account, token: await this.signIn(id) }
  }

  /** One more session of a user; resolves to its token. */
  signIn(id: string): Promise<string> {
    const { role, ...shown } = this.#accountOf(id)
    return this.#access.signIn({ id, profile: { id, ...shown } }, roles[role])
  }

  /** A token that differs from a valid one. */
  forge(subject: string, { keyRing = this.#access.keyRing, age = 0, ...forged }: Forgery = {}): Promise<string> {
    const { issuer = ISSUER, audience = AUDIENCE, type = 'access' } = forged
    const issuedAt = Math.floor(Date.now() / 1000) - age
    const ids = { id: randomUUID(), sessionId: randomUUID() }
    const signer = createTokenSigner({ keyRing, issuer, audience })
    return signer.sign({ ...ids, type, subject, issuedAt, expiresAt: issuedAt + 900 })
  }

  /** Without an event. */
  setRole(id: string, role: RoleName): void {
    this.#accounts.set(id, { ...this.#accountOf(id), role })
    this.#access.setRoles(id, roles[role])
  }

  /** Without an event. */
  closeAccount(id: string): void {
    this.#accounts.delete(id)
    this.#access.closeAccount(id)
  }

  /** Its tokens are refused from then on, and the next one is signed with another key. */
  withdrawKey(): void {
    this.#access.withdrawKey()
  }

  /** Ends a session, without an event. */
  signOut({ token }: User): void {
    this.#access.signOut(token)
  }

  /**
   * Announces a changed profile. Resolves when NATS has stored it, which is before the blog service has handled it.
   * @param as its number; default: the next one of the user
   */
  async announce(userId: string, name: string, { as, profilePicUrl }: AnnounceOptions = {}): Promise<void> {
    const next = (this.#announced.get(userId) ?? 0) + 1
    if (as === undefined) this.#announced.set(userId, next)
    const data = { userId, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
    const options = as === 'unnumbered' ? {} : { sequence: as ?? next }
    await this.#publisher.publish(userEvents.userUpdated, data, options)
  }

  /** Ends a session, and announces that. */
  async endSession(user: User): Promise<void> {
    this.signOut(user)
    const { sid: sessionId } = JSON.parse(Buffer.from(user.token.split('.')[1] ?? '', 'base64url').toString())
    await this.#publisher.publish(sessionEvents.sessionRevoked, { sessionId, userId: user.id }, { sequence: 1 })
  }

  #accountOf(id: string): Account {
    const account = this.#accounts.get(id)
    if (!account) throw new Error(`there is no account ${id}`)
    return account
  }

  get #publisher(): Publisher {
    const nats = this.#running?.nats
    if (!nats) throw new Error('the auth double is stopped')
    return createPublisher(nats, 'auth')
  }
}
