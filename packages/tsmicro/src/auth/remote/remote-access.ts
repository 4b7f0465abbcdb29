import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type CallContext,
  type Principal,
  withSharedContext,
} from '../../call/index.ts'
import type { Role } from '../../contract/index.ts'
import { FORBIDDEN, UNAUTHENTICATED } from '../../errors/index.ts'
import { type TokenClaims, TokenError } from '../tokens/claims.ts'
import { KeySource } from '../tokens/key-source.ts'
import { Verifier } from '../tokens/verifier.ts'
import { ChangeFeed } from './change-feed.ts'
import { type Clock, elapsed, type Instant, systemClock } from './clock.ts'
import { KnownAccess, principalOf, type Question } from './known-access.ts'
import type { AuthService, Granted } from './protocol.ts'

export interface RemoteAccessOptions {
  /** `nats.client(contract)` of the auth service. */
  readonly auth: AuthService
  /** Those of `defineRoles`. */
  readonly roles: {
    readonly names: readonly string[]
    satisfies(held: readonly string[], needed: string): boolean
  }
  /** `iss` of tokens. */
  readonly issuer: string
  /** `aud` of tokens. */
  readonly audience: string
  /** Keys older than this are fetched again in the background: the issuer must publish a key for longer before it signs. Default 60. */
  readonly maxKeyAgeSeconds?: number
  /**
   * What the auth service has said is used for so many milliseconds after it was last asked what has changed: the longest time for which a
   * session that has ended is accepted. 0 = it is asked about each request. Default 800.
   */
  readonly leaseMs?: number
}

/**
 * Both providers of a module, for users that another service knows: see {@link createRemoteAccess}.
 *
 * @example
 * const access: RemoteAccess = createRemoteAccess({ auth: nats.client(validation), roles, issuer, audience })
 * const hasChanged: Reaction = on(userCreated, { everyInstance: true }, access.changed)
 */
export interface RemoteAccess extends AuthenticationProvider, AuthorizationProvider {
  /**
   * Asks at once what has changed, which it would otherwise do within 150 ms: for a handler of events that end sessions or
   * change users.
   */
  readonly changed: () => void
}

/** A key that is still unknown may be a new one. Forged tokens can make us fetch the keys at most this often. */
const KEY_RELOAD_SECONDS = 1
const LEASE_MS = 800

/**
 * Authentication and authorization by an auth service, without a call for each request. What the auth service has said about a session and
 * its user is used again for as long as it keeps answering what has changed, several times a second: a session that has ended, a role that was
 * taken, a withdrawn key and a closed account are refused everywhere within `leaseMs`, even if processes freeze or connections break. If
 * there is no answer for that long, each request is asked about; if that fails as well, the caller gets 503 or 504.
 *
 * @example
 * const access = createRemoteAccess({ auth: nats.client(validation), roles, issuer, audience })
 * const module: Module = { nats, calls: [validation], authentication: access, authorization: access }
 */
export function createRemoteAccess(options: RemoteAccessOptions): RemoteAccess {
  return new VerifyingAccess(options)
}

/** What a call has said, for the requests that have waited for it. */
interface Learnt {
  readonly askedAt: Instant
  readonly principal: Principal
  readonly roles: readonly string[]
}

export class VerifyingAccess implements RemoteAccess {
  readonly changed: () => void
  readonly feed: ChangeFeed
  readonly #auth: AuthService
  readonly #roles: RemoteAccessOptions['roles']
  readonly #verifier: Verifier
  readonly #known: KnownAccess
  readonly #leaseMs: number
  readonly #clock: Clock
  /** Calls that are not answered yet, by token. */
  readonly #asking = new Map<string, { readonly askedAt: Instant; readonly answer: Promise<Learnt | undefined> }>()
  readonly #learnt = new WeakMap<Principal, Learnt>()

  constructor(
    { auth, roles, issuer, audience, maxKeyAgeSeconds = 60, leaseMs = LEASE_MS }: RemoteAccessOptions,
    clock = systemClock,
  ) {
    // All who need a key wait for it, so it belongs to no request: that one's client may leave.
    const loadKeys = () => withSharedContext(NEVER, () => auth.publicKeys())
    const keys = new KeySource({ loadKeys, reloadSeconds: KEY_RELOAD_SECONDS, maxAgeSeconds: maxKeyAgeSeconds })
    this.#verifier = new Verifier({ keys, issuer, audience })
    this.#known = new KnownAccess(clock, kid => keys.withdraw(kid))
    this.feed = new ChangeFeed({
      // It belongs to no request.
      ask: since =>
        auth.accessChanges(since === undefined ? {} : { since }, { timeoutMs: leaseMs, context: undefined }),
      kept: this.#known,
      leaseMs,
      clock,
    })
    this.changed = () => this.feed.push()
    this.#auth = auth
    this.#roles = roles
    this.#leaseMs = leaseMs
    this.#clock = clock
  }

  authenticate(token: string, context: CallContext): Principal | Promise<Principal> {
    const claims = this.#verifier.recall(token, 'access')
    return (claims && this.#find(claims)) ?? this.#authenticate(token, context)
  }

  authorize(user: Principal, { role }: Role, context: CallContext): undefined | Promise<void> {
    const held = (this.feed.holds ? this.#known.rolesOf(user.id) : undefined) ?? this.#rolesLearnt(user)
    return held && this.#roles.satisfies(held, role) ? undefined : this.#authorize(user, role, context)
  }

  #find(claims: TokenClaims): Principal | undefined {
    return this.feed.holds ? this.#known.find(claims) : undefined
  }

  async #authenticate(token: string, { deadline }: CallContext): Promise<Principal> {
    const claims = await deadline.race(this.#verifier.verify(token, { type: 'access' })).catch(cause => {
      if (cause instanceof TokenError) throw new UNAUTHENTICATED(undefined, { cause })
      throw cause
    })
    const known = this.#find(claims)
    if (known) return known
    const learnt = await deadline.race(this.#ask(token, claims))
    if (!learnt) throw new UNAUTHENTICATED()
    this.#learnt.set(learnt.principal, learnt)
    return learnt.principal
  }

  /** Requests with the same token share a call, as long as what it asks may be used: a call can be answered late. */
  #ask(token: string, claims: TokenClaims): Promise<Learnt | undefined> {
    const open = this.#asking.get(token)
    if (open && elapsed(open.askedAt, this.#clock()) < this.#leaseMs) return open.answer
    const question = this.#known.ask(claims, this.feed.number)
    const answer = this.#call(token, question).finally(() => {
      if (this.#asking.get(token)?.answer === answer) this.#asking.delete(token)
    })
    this.#asking.set(token, { askedAt: question.askedAt, answer })
    return answer
  }

  async #call(token: string, question: Question): Promise<Learnt | undefined> {
    let granted: Granted | undefined
    try {
      granted = (await withSharedContext(NEVER, () => this.#auth.verifyAccess({ token }))).granted
    } finally {
      this.#known.answer(question, granted)
    }
    if (!granted) return undefined
    const { user, sessionId, roles } = granted
    return { askedAt: question.askedAt, roles, principal: principalOf(user, sessionId) }
  }

  /** What the call that has identified the user has said of the roles, which is as recent as what is kept. */
  #rolesLearnt(user: Principal): readonly string[] | undefined {
    const learnt = this.#learnt.get(user)
    return learnt && elapsed(learnt.askedAt, this.#clock()) < this.#leaseMs ? learnt.roles : undefined
  }

  /** Nobody is refused because of what is kept: a role that was just granted is a role. */
  async #authorize({ id: userId }: Principal, role: string, { deadline }: CallContext): Promise<void> {
    if (!this.#roles.names.includes(role)) throw new TypeError(`the auth service has no role ${role}`)
    const { valid } = await deadline.race(this.#auth.validateRole({ userId, role }))
    if (valid !== true) throw new FORBIDDEN()
    this.#known.forgetUser(userId)
  }
}

/** No caller who leaves ends a call that others wait for. */
const NEVER = new AbortController().signal
