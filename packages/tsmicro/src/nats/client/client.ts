import {
  type CallContext,
  compose,
  currentContext,
  type Deadline,
  type Middleware,
  type ProcedureCall,
} from '../../call/index.ts'
import {
  type BoundProcedure,
  type Client,
  type Contract,
  checkTarget,
  type DeepReadonly,
  entriesOf,
  needsUser,
  type ProcedureSpec,
  type RequestOf,
  type ResponseOf,
} from '../../contract/index.ts'
import { DEADLINE_EXCEEDED, MALFORMED_REPLY, VALIDATION_FAILED } from '../../errors/index.ts'
import {
  type Check,
  compileDefaultedOutgoing,
  compileNothing,
  compileSchema,
  tellProblems,
  writeJson,
} from '../../schema/index.ts'
import { NatsLink } from '../connection.ts'
import type { NatsOptions } from '../options.ts'
import { assertCalls, remember } from '../scope.ts'
import type { Outcome } from './outcome.ts'
import { type OutgoingCall, withDeadline } from './outgoing-call.ts'
import { errorOf, type ReplyErrors, replyErrorsOf, replyOf } from './reply.ts'
import { forwardedOf } from './request-headers.ts'
import { watch } from './watch.ts'

export interface CallOptions {
  /** Milliseconds to wait; never more than the surrounding call has left. Default: the procedure's, else the client's. */
  readonly timeoutMs?: number | undefined
  /** Gives up waiting when it aborts: the call fails with its reason and is cancelled over there. */
  readonly signal?: AbortSignal | undefined
  /**
   * Whose request id, trace, token and budget to pass on; when it ends, so does this call. One that has been answered bounds nothing any
   * more. Default: the call being worked on; an `undefined` that is given means none.
   */
  readonly context?: CallContext | undefined
}

export type NatsClientOptions = NatsOptions & {
  /** Milliseconds a call waits when nothing else says so. Default 5,000. */
  readonly timeoutMs?: number
  /**
   * Runs around every call of a client's procedure, the first of the list outermost, e.g. `retry` and `circuitBreaker`. It sees
   * the validated input and the unchecked answer; all of it shares the time of one call. Does not run around `request`.
   */
  readonly middleware?: readonly Middleware<ProcedureCall>[]
}

interface ExchangeOptions extends CallOptions {
  /** What to watch and what is left. Default: the context's. */
  readonly deadline?: Deadline | undefined
}

interface Prepared {
  readonly request: Check | undefined
  readonly response: Check | undefined
  /** What it means that no input is given. */
  readonly nothing: () => unknown
  readonly errors: ReplyErrors
  readonly asUser: boolean
}

/**
 * Calls other services' procedures, typed by their contracts. One per service; a dependency of the runtime.
 *
 * @example
 * const client = new NatsClient({ url: config.NATS_URL, name: 'blog' })
 * await client.connect()
 * const { valid } = await client.client(validation).validateRole({ userId, role: 'EDITOR' }, { timeoutMs: 500 })
 * await client.close()
 */
export class NatsClient extends NatsLink {
  readonly #timeoutMs: number
  readonly #prepared = new WeakMap<BoundProcedure, Prepared>()
  readonly #clients = new WeakMap<Contract, object>()
  /** Absent where there is no middleware: such calls pay nothing for the others. */
  readonly #layers: ((call: OutgoingCall) => Promise<unknown>) | undefined

  constructor(options: NatsClientOptions) {
    super(options)
    const { timeoutMs = 5000, middleware = [] } = options
    this.#timeoutMs = timeoutMs
    if (middleware.length > 0) this.#layers = compose<OutgoingCall>(middleware, call => this.#attempt(call))
  }

  /**
   * The procedures of another service's contract as functions, those that have a NATS door. Each of them may throw:
   *
   * @example
   * const { valid } = await nats.client(validation).validateRole({ userId, role: 'EDITOR' }, { timeoutMs: 500 })
   * @throws {ApiError} an error that the procedure declares, as the same class with the same data
   * @throws {SERVICE_UNAVAILABLE} when nobody answers on the subject or NATS is down
   * @throws {NOT_PERMITTED} when the module does not list the contract in `calls`, or the server does not permit the call
   * @throws {OVERLOADED} when the other service is at its limits
   * @throws {DEADLINE_EXCEEDED} when the answer does not come in time
   * @throws {VALIDATION_FAILED} when the input does not match its schema; nothing is sent
   * @throws {PAYLOAD_TOO_LARGE} when the input is larger than the server accepts (1 MiB by default); nothing is sent
   * @throws {MALFORMED_REPLY} when the answer does not match the output's schema
   */
  client<C extends Contract>(contract: C): Client<C, 'nats', CallOptions> {
    const known = this.#clients.get(contract)
    if (known) return known as Client<C, 'nats', CallOptions>
    const callers = entriesOf(contract)
      .filter(([, { subject }]) => subject !== undefined)
      .map(([key, procedure]) => {
        const bound = procedure as BoundProcedure<ProcedureSpec & { readonly nats: string }>
        return [key, (input?: never, options?: CallOptions) => this.#call(bound, input as never, options)]
      })
    const made = Object.freeze(Object.fromEntries(callers)) as object
    this.#clients.set(contract, made)
    remember(this, contract)
    return made as Client<C, 'nats', CallOptions>
  }

  async #call<S extends ProcedureSpec & { readonly nats: string }>(
    procedure: BoundProcedure<S>,
    data: DeepReadonly<RequestOf<S>>,
    options: CallOptions = {},
  ): Promise<ResponseOf<S>> {
    const bound = procedure as unknown as BoundProcedure
    const { request, response, errors, asUser, nothing } = this.#prepare(bound)
    let text = ''
    let input: unknown
    if (request) {
      const outcome = request(data === undefined ? nothing() : data)
      const sent = outcome instanceof Promise ? await outcome : outcome
      if (sent.problems) {
        const message = `the data for ${bound.subject} does not match its schema: ${tellProblems(sent.problems)}`
        throw new VALIDATION_FAILED(sent.problems, { message })
      }
      input = sent.value
      text = writeJson(input) ?? ''
    }
    const timeoutMs = options.timeoutMs ?? bound.timeoutMs ?? this.#timeoutMs
    // Awaited here, and errors made here, so that their stack traces lead to the caller.
    let answer: unknown
    if (this.#layers) {
      const { signal } = options
      const context = contextOf(options)
      const layers = this.#layers
      answer = await withDeadline(timeoutMs, signal, context, deadline =>
        layers({
          procedure: bound,
          input,
          context,
          deadline,
          text,
          asUser,
          errors,
        }),
      )
    } else {
      const manner = { asUser, batchable: true }
      const reply = replyOf(await this.#exchange(bound.subject ?? '', text, timeoutMs, options, manner))
      if (reply.failure) throw await errorOf(reply.failure, errors)
      answer = reply.data
    }
    if (!response) return undefined as ResponseOf<S>
    const outcome = response(answer)
    const received = outcome instanceof Promise ? await outcome : outcome
    if (received.problems) {
      const text = `the answer of ${bound.subject} does not match its schema: ${tellProblems(received.problems)}`
      throw new MALFORMED_REPLY(undefined, { cause: new Error(text) })
    }
    return received.value as ResponseOf<S>
  }

  /**
   * A request without a contract: any subject, gomicro's envelope at both ends, no validation.
   * @throws {TypeError} when the subject is none that a message can be sent to
   * @throws as the functions of {@link client}, except for the validation
   */
  async request<Response>(subject: string, data: unknown, options: CallOptions = {}): Promise<Response> {
    checkTarget(subject)
    const text = writeJson(data) ?? ''
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs
    const manner = { asUser: false, batchable: false }
    const reply = replyOf(await this.#exchange(subject, text, timeoutMs, options, manner))
    if (reply.failure) throw await errorOf(reply.failure, undefined)
    return reply.data as Response
  }

  /** The innermost layer: may be run several times, each time with what is left. */
  async #attempt({ procedure, context, deadline, text, asUser, errors }: OutgoingCall): Promise<unknown> {
    const manner = { asUser, batchable: true }
    const timeoutMs = deadline.remainingMs()
    const outcome = this.#exchange(procedure.subject ?? '', text, timeoutMs, { context, deadline }, manner)
    const reply = replyOf(await outcome)
    if (reply.failure) throw await errorOf(reply.failure, errors)
    return reply.data
  }

  #exchange(
    subject: string,
    data: string,
    timeoutMs: number,
    options: ExchangeOptions,
    { asUser, batchable }: { readonly asUser: boolean; readonly batchable: boolean },
  ): Promise<Outcome> {
    const { signal } = options
    const context = contextOf(options)
    const deadline = options.deadline ?? context?.deadline
    deadline?.throwIfEnded()
    signal?.throwIfAborted()
    const budgetMs = deadline ? Math.min(timeoutMs, deadline.remainingMs()) : timeoutMs
    if (budgetMs < 1) throw new DEADLINE_EXCEEDED()
    const { inbox, canceller } = this.live()
    const forwarded = context && forwardedOf(context, asUser)
    const request = { subject, data, forwarded, budgetMs, batchable }
    if (!signal && !deadline) return inbox.request(request)
    return inbox.request(request, call => {
      const giveUp = (reason: unknown) => {
        call.end({ kind: 'given-up', reason })
        // A budget that ended ends over there, too.
        if (call.sent && !(reason instanceof DEADLINE_EXCEEDED)) canceller.cancel(call, inbox.replySubject(call))
      }
      return watch(giveUp, signal, deadline)
    })
  }

  #prepare(procedure: BoundProcedure): Prepared {
    const known = this.#prepared.get(procedure)
    if (known) return known
    assertCalls(this, procedure)
    const { input, output } = procedure
    const prepared = {
      request: input && compileDefaultedOutgoing(input),
      nothing: procedure.input ? compileNothing(procedure.input) : () => undefined,
      response: output && compileSchema(output, 'ignore'),
      errors: replyErrorsOf(procedure),
      asUser: needsUser(procedure.access),
    }
    this.#prepared.set(procedure, prepared)
    return prepared
  }
}

function contextOf(options: CallOptions): CallContext | undefined {
  return 'context' in options ? options.context : currentContext()
}

/**
 * The seed's generic request: `requestNats<Request, Response>(client, 'auth.validate.role', request)`. Prefer
 * {@link NatsClient.client}, which knows the types and validates at both ends.
 */
export function requestNats<Request, Response>(
  client: NatsClient,
  subject: string,
  data: Request,
  options?: CallOptions,
): Promise<Response> {
  return client.request<Response>(subject, data, options)
}
