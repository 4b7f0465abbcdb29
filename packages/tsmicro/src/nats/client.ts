import {
  ClosedConnectionError,
  DrainingConnectionError,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  RequestError,
  TimeoutError,
} from '@nats-io/nats-core'
import { type CallContext, currentContext } from '../call/index.ts'
import {
  type BoundProcedure,
  needsUser,
  type ProcedureSpec,
  type RequestOf,
  type ResponseOf,
} from '../contract/index.ts'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE, VALIDATION_FAILED } from '../errors/index.ts'
import { type Check, compileSchema } from '../schema/index.ts'
import { NatsLink, type NatsOptions } from './connection.ts'
import { encodeData } from './envelope.ts'
import { AUTHORIZATION, BUDGET, REQUEST_ID, TRACEPARENT } from './headers.ts'
import { MALFORMED_REPLY, readReply } from './reply.ts'

export interface CallOptions {
  /** Milliseconds to wait; never more than the surrounding call has left. Default: the procedure's, else the client's. */
  readonly timeoutMs?: number
  /** Gives up waiting when it aborts; the call then fails with its reason. */
  readonly signal?: AbortSignal
  /** Whose request id, trace, token and budget to pass on. Default: the call being worked on. */
  readonly context?: CallContext
}

export interface NatsClientOptions extends NatsOptions {
  /** Milliseconds a call waits when nothing else says so. Default 5,000. */
  readonly timeoutMs?: number
}

interface Checks {
  readonly request: Check | undefined
  readonly response: Check | undefined
}

/**
 * Calls other services' procedures, typed by their contracts. One per service; a dependency of the runtime.
 *
 * @example
 * const client = new NatsClient({ url: 'nats://127.0.0.1:4222', name: 'blog' })
 * await client.connect()
 * const { valid } = await client.call(validation.validateRole, { userId, role: 'EDITOR' }, { timeoutMs: 500 })
 */
export class NatsClient extends NatsLink {
  readonly #timeoutMs: number
  readonly #checks = new WeakMap<BoundProcedure, Checks>()

  constructor(options: NatsClientOptions) {
    super(options)
    this.#timeoutMs = options.timeoutMs ?? 5000
  }

  /**
   * @throws {ApiError} an error that the procedure declares, as the same class with the same data
   * @throws {SERVICE_UNAVAILABLE} when nobody answers on the subject or NATS is down
   * @throws {DEADLINE_EXCEEDED} when the answer does not come in time
   * @throws {VALIDATION_FAILED} when `data` does not match the request's schema; nothing is sent
   * @throws {MALFORMED_REPLY} when the answer does not match the response's schema
   */
  async call<S extends ProcedureSpec & { readonly nats: string }>(
    procedure: BoundProcedure<S>,
    data: RequestOf<S>,
    options: CallOptions = {},
  ): Promise<ResponseOf<S>> {
    const bound = procedure as unknown as BoundProcedure
    const checks = this.#checksOf(bound)
    const sent = await checks.request?.(data)
    if (sent?.problems) throw new VALIDATION_FAILED(sent.problems)
    const timeoutMs = options.timeoutMs ?? bound.timeoutMs
    const msg = await this.#send(
      bound.subject ?? '',
      encodeData(sent?.value),
      { ...options, ...(timeoutMs ? { timeoutMs } : {}) },
      needsUser(bound.access),
    )
    const answer = readReply(msg, bound.errors)
    if (!checks.response) return undefined as ResponseOf<S>
    const received = await checks.response(answer)
    if (received.problems) throw new MALFORMED_REPLY(undefined, { cause: received.problems })
    return received.value as ResponseOf<S>
  }

  /**
   * A request without a contract: any subject, gomicro's envelope at both ends, no validation.
   * @throws as {@link call}, save the validation
   */
  async request<Response>(subject: string, data: unknown, options: CallOptions = {}): Promise<Response> {
    return readReply(await this.#send(subject, encodeData(data), options, false), undefined) as Response
  }

  async #send(subject: string, body: string, options: CallOptions, asUser: boolean): Promise<Msg> {
    const context = options.context ?? currentContext()
    const budget = Math.min(
      options.timeoutMs ?? this.#timeoutMs,
      context?.deadline.remainingMs() ?? Number.POSITIVE_INFINITY,
    )
    if (budget < 1) throw new DEADLINE_EXCEEDED()
    options.signal?.throwIfAborted()
    const sent = request(this.use(), subject, body, budget, headersOf(context, budget, asUser))
    return options.signal ? abandonOn(options.signal, sent) : sent
  }

  #checksOf(procedure: BoundProcedure): Checks {
    const known = this.#checks.get(procedure)
    if (known) return known
    const checks = {
      request: procedure.request && compileSchema(procedure.request, 'ignore'),
      response: procedure.response && compileSchema(procedure.response, 'ignore'),
    }
    this.#checks.set(procedure, checks)
    return checks
  }
}

async function request(
  nats: NatsConnection,
  subject: string,
  body: string,
  timeout: number,
  headers: MsgHdrs,
): Promise<Msg> {
  try {
    return await nats.request(subject, body, { timeout, headers })
  } catch (cause) {
    if (cause instanceof TimeoutError || (cause as Error).cause instanceof TimeoutError)
      throw new DEADLINE_EXCEEDED(undefined, { cause })
    const unreachable = [RequestError, ClosedConnectionError, DrainingConnectionError]
    if (unreachable.some(type => cause instanceof type)) throw new SERVICE_UNAVAILABLE(undefined, { cause })
    throw cause
  }
}

function headersOf(context: CallContext | undefined, budgetMs: number, asUser: boolean): MsgHdrs {
  const made = headers()
  made.set(BUDGET, String(Math.floor(budgetMs)))
  if (!context) return made
  made.set(REQUEST_ID, context.requestId)
  if (context.traceparent) made.set(TRACEPARENT, context.traceparent)
  // Only where the procedure asks who the user is: a token goes no further than it must.
  if (asUser && context.token) made.set(AUTHORIZATION, `Bearer ${context.token}`)
  return made
}

function abandonOn<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/**
 * The seed's generic request: `requestNats<Request, Response>(client, 'auth.validate.role', request)`. Prefer
 * {@link NatsClient.call}, which knows the types by itself and validates at both ends.
 */
export function requestNats<Request, Response>(
  client: NatsClient,
  subject: string,
  data: Request,
  options?: CallOptions,
): Promise<Response> {
  return client.request<Response>(subject, data, options)
}
