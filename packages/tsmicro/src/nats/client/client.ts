import {
  type CallContext,
  compose,
  currentContext,
  Deadline,
  DoorContext,
  HeaderFields,
  Inherited,
  type Middleware,
  type ProcedureCall,
} from '../../call/index.ts'
import {
  type BoundProcedure,
  type Client,
  type Contract,
  checkTarget,
  entriesOf,
  jsonOfOutput,
  kindOfBody,
  needsUser,
} from '../../contract/index.ts'
import { DEADLINE_EXCEEDED, MALFORMED_REPLY } from '../../errors/index.ts'
import { type Check, compiled, formatProblems, refusal, withAbsent, writeInput, writeJson } from '../../schema/index.ts'
import { NatsLink } from '../connection.ts'
import { type Opening, openingHeaders } from '../flow.ts'
import type { NatsOptions } from '../options.ts'
import { assertDeclared, remember } from '../permissions.ts'
import { compileItems, openingCheck, responseOf } from './flows.ts'
import type { Inflow } from './inflow.ts'
import { type CallRequest, type Outcome, watch } from './pending-call.ts'
import { errorOf, type ReplyErrors, replyErrorsOf, replyOf } from './reply.ts'

export interface CallOptions {
  /** Milliseconds to wait; never more than the surrounding call has left. Default: the procedure's, else the client's. */
  readonly timeoutMs?: number | undefined
  /** Gives up waiting when it aborts: the call fails with its reason, and the service cancels it. */
  readonly signal?: AbortSignal | undefined
  /**
   * Whose request id, trace, token and budget to pass on; when it ends, so does this call. A context whose call has been answered
   * sets no bounds. Default: the call being worked on; an explicit `undefined` means none.
   */
  readonly context?: CallContext | undefined
}

export type NatsClientOptions = NatsOptions & {
  /** Milliseconds a call waits unless it or its procedure says otherwise. Default 5,000. */
  readonly timeoutMs?: number
  /**
   * Runs around every call of a client's procedure, the first of the list outermost, e.g. `retry` and `circuitBreaker`. It sees
   * the validated input and the unchecked answer; all attempts share the time of one call. Does not run around `request`.
   */
  readonly middleware?: readonly Middleware<ProcedureCall>[]
}

type OpeningHeaders = ReturnType<typeof openingHeaders>

interface Prepared {
  readonly request: Check | undefined
  /** Of a stream or a file, reads the answer that opens it. */
  readonly response: Check | undefined
  readonly errors: ReplyErrors
  readonly asUser: boolean
}

/** A call on its way through the client's middleware. */
interface OutgoingCall extends ProcedureCall, Pick<Prepared, 'asUser' | 'errors'> {
  /** The input as JSON text. */
  readonly text: string
  readonly opens: OpeningHeaders | undefined
}

interface Exchange extends Pick<CallRequest, 'subject' | 'data' | 'batchable'>, Pick<Prepared, 'asUser'> {
  /** Headers that open a stream or a file. */
  readonly opens: OpeningHeaders | undefined
  readonly timeoutMs: number
  readonly context: CallContext | undefined
  readonly signal?: AbortSignal | undefined
  readonly deadline: Deadline | undefined
}

/**
 * Calls other services' procedures, typed by their contracts. A service has one, in `nats` of its module.
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
  /** Absent without middleware, so that such calls do not pay for it. */
  readonly #layers: ((call: OutgoingCall) => Promise<unknown>) | undefined

  constructor(options: NatsClientOptions) {
    super(options)
    const { timeoutMs = 5000, middleware = [] } = options
    this.#timeoutMs = timeoutMs
    if (middleware.length > 0) this.#layers = compose<OutgoingCall>(middleware, call => this.#attempt(call))
  }

  /**
   * The procedures of another service's contract as functions, those that have a NATS door.
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
    const functions = entriesOf(contract)
      .filter(([, { subject }]) => subject !== undefined)
      .map(([key, procedure]) => [key, this.#functionOf(procedure)])
    const made: object = Object.freeze(Object.fromEntries(functions))
    this.#clients.set(contract, made)
    remember(this, contract)
    return made as Client<C, 'nats', CallOptions>
  }

  /**
   * A request without a contract: any subject, gomicro's envelope at both ends, no validation. Prefer {@link client}, which is typed and
   * validates at both ends.
   * @throws {TypeError} when no message can be sent to the subject
   * @throws as the functions of {@link client}, except for the validation
   */
  async request<Response>(subject: string, data: unknown, options: CallOptions = {}): Promise<Response> {
    checkTarget(subject)
    const { signal, timeoutMs = this.#timeoutMs } = options
    const context = contextOf(options)
    const deadline = context?.deadline
    const text = writeJson(data) ?? ''
    const call = { subject, data: text, timeoutMs, context, signal, deadline }
    const exchange = { ...call, asUser: false, batchable: false, opens: undefined }
    return (await this.#ask(exchange, undefined)) as Response
  }

  #functionOf(procedure: BoundProcedure): (input?: unknown, options?: CallOptions) => unknown {
    const kind = kindOfBody(procedure.output)
    if (kind === undefined) return (input, options) => this.#call(procedure, input, options)
    if (kind === 'file')
      return async (input, options) => responseOf(await this.#open(procedure, input, options, openingHeaders()))
    const items = compileItems(procedure)
    return (input, options) =>
      items(
        last => this.#open(procedure, input, options, openingHeaders(last)),
        () => endOf(options),
      )
  }

  async #open(
    procedure: BoundProcedure,
    input: unknown,
    options: CallOptions = {},
    headers: OpeningHeaders,
  ): Promise<Inflow> {
    const opening = (await this.#call(procedure, input, options, headers)) as Opening
    const { signal, timeoutMs = procedure.timeoutMs ?? this.#timeoutMs } = options
    const { errors } = this.#prepare(procedure)
    const deadline = contextOf(options)?.deadline
    const json = kindOfBody(procedure.output) === 'stream'
    return this.live().inbox.receive(procedure.service, { opening, json, errors, timeoutMs, signal, deadline })
  }

  async #call(
    procedure: BoundProcedure,
    data: unknown,
    options: CallOptions = {},
    opens?: OpeningHeaders,
  ): Promise<unknown> {
    const { request, response, errors, asUser } = this.#prepare(procedure)
    const { subject = '' } = procedure
    let text = ''
    let input: unknown
    if (request) {
      const outcome = request(data)
      const sent = outcome instanceof Promise ? await outcome : outcome
      if (sent.problems) throw refusal(`the data for ${subject} does not match its schema`, sent.problems)
      input = sent.value
      text = writeInput(input, `the data for ${subject}`) ?? ''
    }
    const { signal, timeoutMs = procedure.timeoutMs ?? this.#timeoutMs } = options
    const context = contextOf(options)
    const layers = this.#layers
    // Awaited here, and errors created here, so that their stack traces lead to the caller.
    let answer: unknown
    if (layers) {
      const deadline = deadlineOf(timeoutMs, context)
      const unwatch = watch(reason => deadline.cancel(reason as Error), signal, context?.deadline)
      try {
        signal?.throwIfAborted()
        answer = await layers({ procedure, input, context, deadline, text, asUser, errors, opens })
      } finally {
        unwatch()
        deadline[Symbol.dispose]()
      }
    } else {
      const deadline = context?.deadline
      const batchable = opens === undefined
      const exchange = { subject, data: text, timeoutMs, context, signal, deadline, asUser, batchable, opens }
      const reply = replyOf(await this.#exchange(exchange))
      if (reply.failure) throw await errorOf(reply.failure, errors)
      answer = reply.data
    }
    if (!response) return undefined
    const outcome = response(answer)
    const received = outcome instanceof Promise ? await outcome : outcome
    if (received.problems) {
      const text = `the answer of ${subject} does not match its schema: ${formatProblems(received.problems)}`
      throw new MALFORMED_REPLY(undefined, { cause: new Error(text) })
    }
    return received.value
  }

  /** The innermost layer: middleware may run it several times, each time with the time that is left. */
  #attempt({ procedure: { subject = '' }, errors, text, ...call }: OutgoingCall): Promise<unknown> {
    const timeoutMs = call.deadline.remainingMs()
    return this.#ask({ ...call, subject, data: text, timeoutMs, batchable: call.opens === undefined }, errors)
  }

  async #ask(exchange: Exchange, errors: ReplyErrors | undefined): Promise<unknown> {
    const reply = replyOf(await this.#exchange(exchange))
    if (reply.failure) throw await errorOf(reply.failure, errors)
    return reply.data
  }

  #exchange(exchange: Exchange): Promise<Outcome> {
    const { subject, data, timeoutMs, context, signal, deadline, asUser, batchable, opens } = exchange
    deadline?.throwIfEnded()
    signal?.throwIfAborted()
    const budgetMs = deadline ? Math.min(timeoutMs, deadline.remainingMs()) : timeoutMs
    if (budgetMs < 1) throw new DEADLINE_EXCEEDED()
    const { inbox } = this.live()
    const own = context && inheritedOf(context).headers(asUser)
    const inherited = opens ? (own?.with(opens) ?? new HeaderFields(opens)) : own
    return inbox.request({ subject, data, inherited, budgetMs, batchable }, signal, deadline)
  }

  #prepare(procedure: BoundProcedure): Prepared {
    const known = this.#prepared.get(procedure)
    if (known) return known
    assertDeclared(this, 'calls', procedure.subject)
    const { input, subject = '' } = procedure
    const output = jsonOfOutput(procedure.output)
    const prepared = {
      request: input && withAbsent(input, compiled.defaultedOutgoing(input)),
      response: kindOfBody(procedure.output) ? openingCheck(subject) : output && compiled.incoming(output, 'ignore'),
      errors: replyErrorsOf(procedure),
      asUser: needsUser(procedure.access),
    }
    this.#prepared.set(procedure, prepared)
    return prepared
  }
}

/** Encoded once for all calls of a context, unless it has been made by somebody else. */
function inheritedOf(context: CallContext): Inherited {
  return context instanceof DoorContext ? context.inherited : new Inherited(context)
}

function contextOf(options: CallOptions): CallContext | undefined {
  return 'context' in options ? options.context : currentContext()
}

/** Aborts when the caller gives up or the surrounding call ends. */
function endOf(options: CallOptions = {}): AbortSignal | undefined {
  const signals = [options.signal, contextOf(options)?.deadline.signal].filter(signal => signal !== undefined)
  return signals.length > 1 ? AbortSignal.any(signals) : signals[0]
}

/** The deadline that all attempts of a call share. @throws the reason, if the surrounding call has ended */
function deadlineOf(timeoutMs: number, context: CallContext | undefined): Deadline {
  context?.deadline.throwIfEnded()
  return new Deadline(context ? Math.min(timeoutMs, context.deadline.remainingMs()) : timeoutMs)
}
