import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  profile,
  type RoleName,
  roles,
  sessionEvents,
  TOKEN_INVALID,
  USER_NOT_FOUND,
  userEvents,
  validation,
} from '@blog-platform/auth-contract'
import { createPublisher, createService, implement, NatsClient, type Publisher, type Service } from 'tsmicro'
import { createTokenSigner, createTokenVerifier, type KeyRing, loadKeyRing, TokenError } from 'tsmicro/auth'
import { createLogger } from 'tsmicro/telemetry'

const ISSUER = 'https://auth.tsmicro.dev'
const AUDIENCE = 'tsmicro'

export interface User {
  readonly id: string
  readonly name: string
  readonly profilePicUrl?: string
  readonly role: RoleName
  /** A signed access token of one session. */
  readonly token: string
  readonly sessionId: string
}

interface Account {
  name: string
  profilePicUrl?: string
  role: RoleName
}

interface AnnounceOptions {
  readonly as?: number | 'unnumbered'
  readonly profilePicUrl?: string
}

/** The part of the contract `profile` that concerns other services. */
const publicProfiles = { publicProfile: profile.publicProfile }

/**
 * Stands in for the auth service at its contract's door: what it offers others over NATS, with real keys and signatures, and
 * accounts that a test can change freely. It can be stopped and restarted.
 */
export class AuthDouble {
  readonly accounts = new Map<string, Account>()
  readonly ended = new Set<string>()
  /** The last number of each user's events. */
  readonly #announced = new Map<string, number>()
  /** How many tokens it has been asked about. */
  asked = 0
  readonly #url: string
  readonly #directory: string
  #keyRing: KeyRing
  #running: { readonly service: Service; readonly nats: NatsClient } | undefined

  private constructor(url: string, directory: string, keyRing: KeyRing) {
    this.#url = url
    this.#directory = directory
    this.#keyRing = keyRing
  }

  static async start(url: string): Promise<AuthDouble> {
    const directory = await mkdtemp(join(tmpdir(), 'blog-keys-'))
    const made = new AuthDouble(url, directory, await loadKeyRing({ directory, createIfMissing: true }))
    await made.start()
    return made
  }

  async start(): Promise<void> {
    const nats = new NatsClient({ url: this.#url, name: 'auth' })
    const service = createService({
      name: 'auth',
      version: '0.1.0',
      module: { nats, handlers: handlersOf(this), publishes: [userEvents, sessionEvents] },
      log: createLogger({ name: 'auth', level: 'silent' }),
    })
    await service.start()
    this.#running = { service, nats }
  }

  async stop(): Promise<void> {
    await this.#running?.service.stop()
    this.#running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }

  get keyRing(): KeyRing {
    return this.#keyRing
  }

  async signUp(role: RoleName, name = `${role} ${randomUUID().slice(0, 4)}`, profilePicUrl?: string): Promise<User> {
    const id = randomUUID()
    const account = { name, role, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }
    this.accounts.set(id, account)
    return { id, ...account, ...(await this.session(id)) }
  }

  async session(
    subject: string,
    change: { issuer?: string; audience?: string; type?: 'access' | 'refresh'; keyRing?: KeyRing; age?: number } = {},
  ): Promise<{ readonly token: string; readonly sessionId: string }> {
    const { issuer = ISSUER, audience = AUDIENCE, type = 'access', keyRing = this.#keyRing, age = 0 } = change
    const sessionId = randomUUID()
    const issuedAt = Math.floor(Date.now() / 1000) - age
    const signer = createTokenSigner({ keyRing, issuer, audience })
    const token = await signer.sign({
      ...{ type, subject, sessionId, issuedAt },
      ...{ id: randomUUID(), expiresAt: issuedAt + 900 },
    })
    return { token, sessionId }
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
  async endSession({ id: userId, sessionId }: User): Promise<void> {
    this.ended.add(sessionId)
    await this.#publisher.publish(sessionEvents.sessionRevoked, { sessionId, userId }, { sequence: 1 })
  }

  get #publisher(): Publisher {
    const nats = this.#running?.nats
    if (!nats) throw new Error('the auth double is stopped')
    return createPublisher(nats, 'auth')
  }
}

function handlersOf(auth: AuthDouble) {
  const { accounts, ended, keyRing } = auth
  const verifier = createTokenVerifier({
    keys: { loadKeys: async () => keyRing.jwks() },
    issuer: ISSUER,
    audience: AUDIENCE,
  })
  return [
    implement(validation, {
      validateToken: async ({ input }) => {
        auth.asked++
        const claims = await verifier.verify(input.token, { type: 'access' }).catch(error => {
          throw error instanceof TokenError ? new TOKEN_INVALID() : error
        })
        const account = accounts.get(claims.subject)
        if (!account || ended.has(claims.sessionId)) throw new TOKEN_INVALID()
        return { id: claims.subject, ...account, sessionId: claims.sessionId }
      },
      validateRole: ({ input }) => ({ valid: roles.satisfies([accounts.get(input.userId)?.role ?? ''], input.role) }),
      publicKeys: () => ({ keys: keyRing.jwks().keys.map(key => ({ ...key })) }),
    }),
    implement(publicProfiles, {
      publicProfile: ({ input: { id } }) => {
        const account = accounts.get(id)
        if (!account) throw new USER_NOT_FOUND()
        return { id, ...account }
      },
    }),
  ]
}
