import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import { type CallContext, currentContext } from '../call/index.ts'
import {
  type BoundProcedure,
  needsUser,
  type ProcedureSpec,
  type RequestOf,
  type ResponseOf,
} from '../contract/index.ts'
import { DEADLINE_EXCEEDED, VALIDATION_FAILED } from '../errors/index.ts'
import { type Check, compileSchema } from '../schema/index.ts'
import { NatsLink } from './connection.ts'
import { encodeData } from './envelope.ts'
import { AUTHORIZATION, BUDGET, REQUEST_ID, TRACEPARENT } from './headers.ts'
import type { NatsOptions } from './options.ts'
import { MALFORMED_REPLY, type ReplyErrors, readReply, replyErrorsOf } from './reply.ts'

export interface CallOptions {
  /** Milliseconds to wait; never more than the surrounding call has left. Default: the procedure's, else the client's. */
  readonly timeoutMs?: number
  /** Gives up waiting when it aborts; the call then fails with its reason. */
  readonly signal?: AbortSignal
  /**
   * Whose request id, trace, token and budget to pass on; when it ends, so does this call. Default: the call being
   * worked on.
   */
  readonly context?: CallContext
}

export interface NatsClientOptions extends NatsOptions {
  /** Milliseconds a call waits when nothing else says so. Default 5,000. */
  readonly timeoutMs?: number
}

interface Prepared {
  readonly request: Check | undefined
  readonly response: Check | undefined
  readonly errors: ReplyErrors
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
  readonly #prepared = new WeakMap<BoundProcedure, Prepared>()

  constructor(options: NatsClientOptions) {
    super(options)
    this.#timeoutMs = options.timeoutMs ?? 5000
  }

  /**
   * @throws {ApiError} an error that the procedure declares, as the same class with the same data
   * @throws {SERVICE_UNAVAILABLE} when nobody answers on the subject or NATS is down
   * @throws {DEADLINE_EXCEEDED} when the answer does not come in time
   * @throws {VALIDATION_FAILED} when `data` does not match the request's schema; nothing is sent
   * @throws {PAYLOAD_TOO_LARGE} when `data` is more than the server takes (1 MiB by default); nothing is sent
   * @throws {MALFORMED_REPLY} when the answer does not match the response's schema
   */
  async call<S extends ProcedureSpec & { readonly nats: string }>(
    procedure: BoundProcedure<S>,
    data: RequestOf<S>,
    options: CallOptions = {},
  ): Promise<ResponseOf<S>> {
    const bound = procedure as unknown as BoundProcedure
    const { request, response, errors } = this.#prepare(bound)
    const sent = await request?.(data)
    if (sent?.problems) throw new VALIDATION_FAILED(sent.problems)
    const timeoutMs = options.timeoutMs ?? bound.timeoutMs ?? this.#timeoutMs
    const msg = await this.#send(
      bound.subject ?? '',
      encodeData(sent?.value),
      timeoutMs,
      options,
      needsUser(bound.access),
    )
    const answer = await readReply(msg, errors)
    if (!response) return undefined as ResponseOf<S>
    const received = await response(answer)
    if (received.problems) throw new MALFORMED_REPLY(undefined, { cause: received.problems })
    return received.value as ResponseOf<S>
  }

  /**
   * A request without a contract: any subject, gomicro's envelope at both ends, no validation.
   * @throws as {@link call}, save the validation
   */
  async request<Response>(subject: string, data: unknown, options: CallOptions = {}): Promise<Response> {
    const msg = await this.#send(subject, encodeData(data), options.timeoutMs ?? this.#timeoutMs, options, false)
    return (await readReply(msg, undefined)) as Response
  }

  #send(
    subject: string,
    body: string,
    timeoutMs: number,
    { signal, context = currentContext() }: CallOptions,
    asUser: boolean,
  ): Promise<Msg> {
    context?.deadline.throwIfEnded()
    signal?.throwIfAborted()
    const budget = Math.min(timeoutMs, context?.deadline.remainingMs() ?? timeoutMs)
    if (budget < 1) throw new DEADLINE_EXCEEDED()
    const watch = (giveUp: (reason: unknown) => void) => {
      const abort = () => giveUp(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const forget = context?.deadline.onEnd(giveUp)
      return () => {
        signal?.removeEventListener('abort', abort)
        forget?.()
      }
    }
    const headers = headersOf(context, budget, asUser)
    const request = { subject, body, headers, timeoutMs: budget }
    return this.inbox().request(signal || context ? { ...request, watch } : request)
  }

  #prepare(procedure: BoundProcedure): Prepared {
    const known = this.#prepared.get(procedure)
    if (known) return known
    const prepared = {
      request: procedure.request && compileSchema(procedure.request, 'ignore'),
      response: procedure.response && compileSchema(procedure.response, 'ignore'),
      errors: replyErrorsOf(procedure),
    }
    this.#prepared.set(procedure, prepared)
    return prepared
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
