import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { KeyRing } from '../auth/index.ts'
import type { Principal } from '../call/index.ts'
import { type Contract, entriesOf, type Role } from '../contract/index.ts'
import { type Implementation, implement } from '../micro/index.ts'

type User = Omit<Principal, 'sessionId'>

interface Account {
  readonly user: User
  readonly roles: readonly Role[]
}

interface Change {
  readonly number: number
  readonly mark: string
  readonly kind: 'session' | 'user' | 'key'
  readonly id: string
}

interface AuthDoubleOptions {
  /** `iss` of its tokens. */
  readonly issuer: string
  /** `aud` of its tokens. */
  readonly audience: string
  /** Those of `defineRoles`. */
  readonly roles: { satisfies(held: readonly string[], needed: string): boolean }
}

/** Half as strong as in production, and made in a fraction of the time. */
const MODULUS_BITS = 2048
const LIFETIME_SECONDS = 900

/** Loaded only with the first token: a service without any need not have jose. */
const tokens = () => import('../auth/index.ts')

/**
 * Stands in for the auth service that `createRemoteAccess` asks, with real tokens and accounts in memory.
 *
 * @example
 * const greetings = contract('hello', {
 *   greet: procedure({ http: 'GET /greet', access: roles.AUTHOR, output: Type.String() }),
 * })
 * const auth = new AuthDouble({ issuer, audience, roles })
 * const createModule = ({ nats }: { nats: NatsClient }): Module => {
 *   const access = createRemoteAccess({ auth: nats.client(validation), roles, issuer, audience })
 *   const handlers = [implement(greetings, { greet: ({ user }) => `Hello ${user.id}` })]
 *   return { nats, handlers, calls: [validation], authentication: access, authorization: access }
 * }
 * await using app: TestApp = await testService(createModule, { fakes: [auth.implement(validation)] })
 * const token = await auth.signIn({ id: 'ada' }, roles.AUTHOR)
 * await app.http(greetings, { headers: { authorization: `Bearer ${token}` } }).greet() // 'Hello ada'
 * auth.signOut(token)
 */
export class AuthDouble {
  /** How often it was asked about a token or a role. */
  asked = 0
  readonly #options: AuthDoubleOptions
  readonly #accounts = new Map<string, Account>()
  /** The user's id, by session. */
  readonly #sessions = new Map<string, string>()
  readonly #changes: Change[] = []
  readonly #start = { number: 0, mark: randomUUID() as string }
  readonly #withdrawn: string[] = []
  #key = newKey()

  constructor(options: AuthDoubleOptions) {
    this.#options = options
  }

  /** Starts a session of a user, who then has these roles. Resolves to its access token. */
  async signIn(user: User, ...roles: readonly Role[]): Promise<string> {
    const before = this.#accounts.get(user.id)
    this.#accounts.set(user.id, { user, roles })
    if (before && !isDeepStrictEqual(before, { user, roles })) this.#changed('user', user.id)
    const sessionId = randomUUID()
    this.#sessions.set(sessionId, user.id)
    const issuedAt = Math.floor(Date.now() / 1000)
    const { issuer, audience } = this.#options
    const { createTokenSigner } = await tokens()
    const signer = createTokenSigner({ keyRing: this.keyRing, issuer, audience })
    const token = { type: 'access', subject: user.id, sessionId, id: randomUUID() } as const
    return signer.sign({ ...token, issuedAt, expiresAt: issuedAt + LIFETIME_SECONDS })
  }

  /** Ends the session of a token. */
  signOut(token: string): void {
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }
    this.#sessions.delete(sid)
    this.#changed('session', sid)
  }

  setRoles(userId: string, ...roles: readonly Role[]): void {
    const account = this.#accounts.get(userId)
    if (!account) throw new TypeError(`nobody has signed in as ${userId}`)
    this.#accounts.set(userId, { ...account, roles })
    this.#changed('user', userId)
  }

  closeAccount(userId: string): void {
    this.#accounts.delete(userId)
    this.#changed('user', userId)
  }

  /** Withdraws the key that signs; tokens of the next one are accepted. */
  withdrawKey(): void {
    const { kid } = this.#key
    this.#withdrawn.push(kid)
    this.#key = newKey()
    this.#changed('key', kid)
  }

  /** The key that signs, for tokens that a test makes up. */
  get keyRing(): Pick<KeyRing, 'current'> {
    return { current: this.#key }
  }

  /**
   * Its handlers of those procedures that `createRemoteAccess` calls, out of a contract that may have others.
   * @throws {TypeError} naming those that the contract lacks
   */
  implement(contract: Contract): Implementation {
    const handlers = this.#handlers()
    const procedures = Object.fromEntries(entriesOf(contract).filter(([key]) => key in handlers))
    return implement(procedures, handlers as never)
  }

  #handlers() {
    type Input<T> = { readonly input: T }
    return {
      verifyAccess: async ({ input }: Input<{ token: string }>) => {
        this.asked += 1
        const granted = await this.#grantedTo(input.token)
        return granted ? { granted } : {}
      },
      validateRole: ({ input: { userId, role } }: Input<{ userId: string; role: string }>) => {
        this.asked += 1
        return { valid: this.#options.roles.satisfies(this.#rolesOf(userId), role) }
      },
      accessChanges: ({ input: { since } }: Input<{ since?: { number: number; mark: string } }>) => {
        const { number, mark } = this.#changes.at(-1) ?? this.#start
        const known = [this.#start, ...this.#changes].some(
          each => each.number === since?.number && each.mark === since.mark,
        )
        const changes = known
          ? this.#changes.slice(since?.number)
          : this.#withdrawn.map(id => ({ number, kind: 'key', id }))
        return { position: { number, mark }, changes, startOver: !known }
      },
      publicKeys: () => ({ keys: [this.#key.published] }),
    }
  }

  async #grantedTo(token: string) {
    const { kid, publicKey } = this.#key
    const { createTokenVerifier, TokenError } = await tokens()
    const find = (name: string) => (name === kid ? publicKey : undefined)
    const verifier = createTokenVerifier({ keys: { known: find, find: async name => find(name) }, ...this.#options })
    const claims = await verifier.verify(token, { type: 'access' }).catch(error => {
      if (error instanceof TokenError) return undefined
      throw error
    })
    const account = claims && this.#accounts.get(claims.subject)
    if (!account || this.#sessions.get(claims.sessionId) !== claims.subject) return undefined
    return {
      user: account.user,
      sessionId: claims.sessionId,
      roles: this.#rolesOf(claims.subject),
      number: (this.#changes.at(-1) ?? this.#start).number,
      endsInMs: LIFETIME_SECONDS * 1000,
    }
  }

  #rolesOf(userId: string): readonly string[] {
    return this.#accounts.get(userId)?.roles.map(({ role }) => role) ?? []
  }

  #changed(kind: Change['kind'], id: string): void {
    this.#changes.push({ number: this.#changes.length + 1, mark: randomUUID(), kind, id })
  }
}

function newKey() {
  const pair = generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS })
  const kid = randomUUID()
  const { n = '', e = '' } = pair.publicKey.export({ format: 'jwk' })
  return { ...pair, kid, published: { kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' } as const }
}
