import { setTimeout as sleep } from 'node:timers/promises'
import {
  AuthorizationError,
  createInbox,
  type Msg,
  type Payload,
  PermissionViolationError,
  UserAuthenticationExpiredError,
} from '@nats-io/nats-core'
import { checkTarget, inboxPrefixOf } from '../contract/index.ts'
import { SERVICE_UNAVAILABLE, UnusableError, unusableIn, within } from '../errors/index.ts'
import { type AskOptions, Inbox } from './client/inbox.ts'
import { connectOf, type NatsOptions, userHint, userOf } from './options.ts'
import { type OwnPermissions, readOwnPermissions, USER_INFO } from './permissions.ts'
import { isInbox } from './subjects.ts'
import { follow, type Transport } from './transport.ts'

const CHECK_TIMEOUT_MS = 1000
/** Between two looks at why there is no connection. */
const EXPLAIN_MS = 2000
/** Refusals that are remembered, so that each is logged once. */
const MOST_REFUSALS = 1000

const refusesUser = (error: unknown): error is Error =>
  error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError

/** Exists while connected. */
interface Live {
  readonly connection: Transport
  readonly inbox: Inbox
}

/**
 * One connection, shared by everything in a service. Reconnects forever; while it is down, `connected` is false, and calls fail at once
 * instead of queueing in memory.
 */
export class NatsLink {
  readonly name = 'nats'
  readonly #options: NatsOptions
  readonly #connectAs: ReturnType<typeof connectOf>
  #live: Live | undefined
  #up = false
  #connecting: Promise<void> | undefined
  #explaining = false
  /** `publish <subject>` or `subscription <subject>`, as the server has refused it. */
  readonly #refusals = new Set<string>()

  constructor(options: NatsOptions) {
    this.#options = options
    checkTarget(this.#inboxPrefix)
    this.#connectAs = connectOf(options)
  }

  /**
   * @throws {UnusableError} when the server refuses the user
   * @throws {SERVICE_UNAVAILABLE} when no server answers
   */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  get connected(): boolean {
    return this.#up
  }

  /** The requests of this connection that wait for their replies. */
  get pendingRequests(): number {
    return this.#live?.inbox.size ?? 0
  }

  /** @throws {SERVICE_UNAVAILABLE} while the connection is down */
  use(): Transport {
    return this.live().connection
  }

  /** A round trip to the server. @throws {SERVICE_UNAVAILABLE} when there is no answer within a second */
  async check(): Promise<void> {
    const connection = this.use()
    const late = () => new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)
    try {
      await within(CHECK_TIMEOUT_MS, connection.flush(), late)
    } catch (cause) {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
  }

  /** The user that the server identifies us as, e.g. `user "blog"`. */
  get user(): string {
    return userOf(this.#options)
  }

  /** The subject on which replies come, as permissions name it, if the server does not let us receive them. */
  get unheardReplies(): string | undefined {
    return this.#live?.inbox.allowed === false ? `${this.#inboxPrefix}.>` : undefined
  }

  /** What the server lets this user do; undefined if it does not say. @throws {SERVICE_UNAVAILABLE} while it is down */
  async permissions(): Promise<OwnPermissions | undefined> {
    const outcome = await this.live().inbox.ask(USER_INFO, '', { timeoutMs: CHECK_TIMEOUT_MS })
    return 'msg' in outcome ? readOwnPermissions(outcome.msg.string()) : undefined
  }

  /**
   * Sends a message as it is, and waits for what answers it.
   * @throws {TypeError} when a message cannot be sent to the subject
   * @throws {PAYLOAD_TOO_LARGE} when it is larger than the server accepts
   * @throws {NOT_PERMITTED} when the server does not let this user publish there
   * @throws {SERVICE_UNAVAILABLE} while the connection is down; caused by a NoRespondersError when nobody listens there
   * @throws {DEADLINE_EXCEEDED} when there is no answer in time
   */
  async exchange(subject: string, payload: Payload, options: AskOptions): Promise<Msg> {
    checkTarget(subject)
    const outcome = await this.live().inbox.ask(subject, payload, options)
    if ('msg' in outcome) return outcome.msg
    throw 'error' in outcome ? outcome.error() : new SERVICE_UNAVAILABLE()
  }

  /** What to do about a refusal. @param list of the module, which may lack a contract */
  refusal(what: string, list?: 'calls' | 'publishes'): string {
    const add = list ? `add the contract with it to \`${list}\` of its module, and ` : ''
    return `NATS ${this.user} may not ${what}: ${add}give the server the new permissions`
  }

  /** A new subject on which this user may listen. */
  createInbox(): string {
    return createInbox(this.#inboxPrefix)
  }

  /** Sends what is still buffered, if the server answers, and closes. Safe while connecting. */
  async close(): Promise<void> {
    await this.#connecting?.catch(() => {})
    const live = this.#live
    if (!live) return
    live.inbox.leaveFlows()
    // Draining would wait for the server, and a lost one must not delay us.
    if (this.#up) await this.check().catch(() => {})
    this.#live = undefined
    this.#up = false
    live.inbox.close()
    if (!live.connection.isClosed()) await live.connection.close()
  }

  get #inboxPrefix(): string {
    return this.#options.inboxPrefix ?? inboxPrefixOf(this.#options.name)
  }

  /** @throws {SERVICE_UNAVAILABLE} while the connection is down */
  protected live(): Live {
    if (!this.#live || !this.#up) throw new SERVICE_UNAVAILABLE()
    return this.#live
  }

  async #connect(): Promise<void> {
    if (this.#live) return
    try {
      const connection = await this.#open()
      const { batching = true } = this.#options
      this.#live = { connection, inbox: new Inbox(connection, this.#inboxPrefix, batching) }
    } catch (cause) {
      if (cause instanceof UnusableError) throw cause
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
    this.#up = true
    void this.#follow(this.#live)
  }

  /** @throws {UnusableError} when the server refuses the user, and for what {@link connectOf} says */
  async #open(once?: { readonly reconnect: false }): Promise<Transport> {
    try {
      return await this.#connectAs(once)
    } catch (cause) {
      if (!refusesUser(cause)) throw cause
      throw new UnusableError(`NATS refuses ${this.user}: ${cause.message}${userHint(this.#options)}`, { cause })
    }
  }

  /**
   * While the connection is down: says once what waiting will not mend, such as an expired certificate or withdrawn credentials. The client library keeps why an
   * attempt has failed to itself.
   */
  async #explainOutage(): Promise<void> {
    if ('connect' in this.#options || this.#explaining) return
    this.#explaining = true
    const said = new Set<string>()
    for (;;) {
      await sleep(EXPLAIN_MS, undefined, { ref: false })
      if (this.#up || !this.#live) break
      try {
        await (await this.#open({ reconnect: false })).close()
      } catch (err) {
        const reason = unusableIn(err)?.message
        if (reason === undefined || said.has(reason) || this.#up) continue
        said.add(reason)
        this.#options.log?.error({ err }, `NATS cannot be reached: ${reason}`)
      }
    }
    this.#explaining = false
  }

  #follow({ connection, inbox }: Live): Promise<void> {
    const { log } = this.#options
    return follow(connection, {
      disconnect: () => {
        this.#up = false
        inbox.failAll(new Error('the connection was lost'))
        log?.warn({}, 'NATS connection lost')
        void this.#explainOutage()
      },
      reconnect: () => {
        this.#up = true
        log?.info({}, 'NATS connection is back')
      },
      close: () => {
        this.#up = false
        inbox.failAll(new Error('the connection was closed'))
      },
      error: ({ error }) => {
        if (error instanceof PermissionViolationError) this.#refused(error, inbox)
        // Each attempt to reconnect reports it again: #explainOutage says it once.
        else if (this.#up || !this.#explaining || !refusesUser(error))
          log?.error({ err: error }, 'NATS server reported an error')
      },
      slowConsumer: () => log?.warn({}, 'NATS messages arrive faster than they are handled'),
    })
  }

  #refused(error: PermissionViolationError, inbox: Inbox): void {
    const { operation, subject } = error
    if (operation === 'publish')
      inbox.failSubject(subject, new Error(this.refusal(`call "${subject}"`, 'calls'), { cause: error }))
    if (subject === USER_INFO) return
    const answer = operation === 'publish' && isInbox(subject, [])
    // Each answer goes to a different subject, so they are logged once for all.
    const key = answer ? 'answers' : `${operation} ${subject}`
    const known = this.#refusals.has(key)
    if (this.#refusals.size >= MOST_REFUSALS) this.#refusals.clear()
    this.#refusals.add(key)
    if (known) return
    const what = answer
      ? `answer on "${subject}": it is too late, or exceeds the number that allow_responses permits`
      : `${operation === 'publish' ? 'publish' : 'subscribe'} "${subject}"`
    this.#options.log?.error({ subject, operation }, `NATS ${this.user} may not ${what}`)
  }
}
