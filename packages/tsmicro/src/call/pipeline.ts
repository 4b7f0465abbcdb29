import {
  type Access,
  type AnswerOf,
  type BoundProcedure,
  type DeepReadonly,
  declaresReplies,
  type ErrorsOf,
  hasBody,
  type InputOf,
  jsonOfOutput,
  kindOfBody,
  needsUser,
  type ProcedureSpec,
  roleBesideOwner,
  type Schema,
  type StreamBody,
} from '../contract/index.ts'
import { type Check, type Checked, compiled } from '../schema/index.ts'
import { isLasting, lasting, makeOnce } from '../stores/index.ts'
import type { AuthorizationProvider } from './admission.ts'
import { type Authorization, type Authorize, compileAuthorize } from './authorize.ts'
import { type CallContext, type Principal, withContext } from './context.ts'
import type { Deadline } from './deadline.ts'
import { type FailureMapper, ResponseMismatchError, type Stage } from './failure.ts'
import { compileFile, discardAnswer } from './file-answer.ts'
import { compileSettle, Reply, ReplyError, type ReplyOf, type Settled } from './reply.ts'
import { compileStream, lastEventIdOf } from './stream.ts'

type UserOf<A extends Access> = A extends 'user' | object
  ? {
      readonly user: Principal
      /**
       * Asks the module's `authorization` provider, within the call's time: `if (blog.author !== user.id) await authorize(roles.EDITOR)`.
       * With `access: { ownerOr: roles.EDITOR }` that is `await authorize({ owner: blog.author })`.
       * @throws {FORBIDDEN} when the user has neither the role nor a higher one; need not be declared
       * @throws {SERVICE_UNAVAILABLE} or {DEADLINE_EXCEEDED} when the role cannot be checked now
       */
      readonly authorize: Authorize<A>
    }
  : { readonly user?: undefined }

type GivenOf<P extends ProcedureSpec> =
  Extract<keyof P, 'input'> extends never ? unknown : { readonly input: InputOf<P> }

type ResumedOf<P extends ProcedureSpec> = P extends { readonly output: StreamBody<Schema, string> }
  ? {
      /** The `id` of the last item that a client has received who comes back; undefined for a new one. Anybody may have made it up. */
      readonly lastEventId: string | undefined
    }
  : unknown

/** What a handler receives: the validated input, the declared errors, and the call's context. */
export type CallOf<P extends ProcedureSpec> = GivenOf<P> &
  UserOf<P['access']> & {
    /** Constructors of the declared errors: `throw new errors.BLOG_NOT_FOUND()`. */
    readonly errors: ErrorsOf<P>
    readonly context: CallContext
    /** Aborts when the time is over or the caller leaves. */
    readonly signal: AbortSignal
  } & ResumedOf<P>

/** Handlers may return read-only data, since it is only read from here on. */
type Answer<P extends ProcedureSpec> = P extends { readonly output: StreamBody }
  ? AnswerOf<P>
  : DeepReadonly<AnswerOf<P>> | ReplyOf<P>

/**
 * Handles a procedure: takes the validated call and returns the response, synchronously or not. Throws declared errors.
 *
 * @example
 * const findBySlug: Handler<typeof reading.findBySlug> = ({ input }) => blogService.findBySlug(input.slug)
 */
export type Handler<P extends ProcedureSpec = ProcedureSpec> = (call: CallOf<P>) => Answer<P> | Promise<Answer<P>>

/** A call of a procedure, served or made. */
export interface ProcedureCall {
  readonly procedure: BoundProcedure
  /** The validated input: what a handler receives, or what a client is about to send. Undefined for procedures without an input. */
  readonly input: unknown
  /** The time that is left for the call and for its middleware. */
  readonly deadline: Deadline
  /** The call being handled; `undefined` when a client is called outside of one. */
  readonly context: CallContext | undefined
}

/** A call on its way to the handler, as middleware of either door sees it. */
interface MiddlewareCall extends ProcedureCall {
  readonly context: CallContext
}

/**
 * Cross-cutting behaviour. Runs around the handler of either door, or around a call that a client makes, and may return or throw
 * instead of it. A `Middleware<ProcedureCall>` fits everywhere.
 *
 * @example
 * const timed: Middleware<ProcedureCall> = async (call, next) => {
 *   const start = performance.now()
 *   try { return await next() } finally { observe(call.procedure.name, performance.now() - start) }
 * }
 */
export type Middleware<Call extends ProcedureCall = MiddlewareCall> = (
  call: Call,
  /** If given a deadline, it limits the rest of the chain. It must not end later than the call's. */
  next: (deadline?: Deadline) => Promise<unknown>,
) => Promise<unknown>

/** Chains middleware around a last step; the first of the list is the outermost. Built once, at the start. */
export function compose<Call extends ProcedureCall>(
  middleware: readonly Middleware<Call>[],
  last: (call: Call) => Promise<unknown>,
): (call: Call) => Promise<unknown> {
  return middleware.reduceRight<(call: Call) => Promise<unknown>>(
    (next, layer) => call => layer(call, deadline => next(deadline ? { ...call, deadline } : call)),
    last,
  )
}

/**
 * Runs a validated input through middleware and handler, and checks the response. Returns the response, or, if the procedure declares
 * replies, a `Settled` one; a promise unless the handler has returned at once. Never throws: it rejects with the caller's failure.
 */
export type Pipeline = (input: unknown, context: CallContext) => unknown

interface PipelineOptions {
  readonly middleware: readonly Middleware[]
  /** Answers the handler's `authorize`. */
  readonly authorization: AuthorizationProvider | undefined
}

/**
 * Builds what both doors run after validation: middleware → handler → check of the response. A response that does not match its
 * schema is our mistake, not the caller's: it is logged and answered with 500. Fields that the schema does not name are dropped, so
 * that a handler that returns a whole document leaks nothing.
 */
export function createPipeline(
  procedure: BoundProcedure,
  handler: Handler,
  { middleware, authorization }: PipelineOptions,
  toFailure: FailureMapper,
): Pipeline {
  const output = jsonOfOutput(procedure.output)
  const check =
    compileFile(procedure) ?? compileStream(procedure, toFailure) ?? (output && once(compiled.outgoing(output)))
  const settle = declaresReplies(procedure) ? compileSettle(procedure) : undefined
  const answers = kindOfBody(procedure.output) ? new WeakMap<CallContext, Promise<unknown>>() : undefined
  const handle = remembering(answers, compileHandle(procedure, handler, authorization, toFailure))
  // Without middleware, only the handler can throw, so calls skip a layer.
  const bare = middleware.length === 0
  const stage: Stage = bare ? 'handler' : 'middleware'
  // Middleware sees the failure that the caller will see, and so cannot reveal more by accident.
  const run: Handle = bare
    ? handle
    : compose(middleware, async call => {
        try {
          return await handle(call)
        } catch (error) {
          throw await toFailure(error, 'handler', call.context.log)
        }
      })
  // Within the context, because a query builder starts only when its outcome is awaited.
  const start = (input: unknown, context: CallContext) =>
    context.deadline.limit(run({ procedure, context, deadline: context.deadline, input }))
  const finish = (result: unknown, context: CallContext): unknown => {
    const settled = settle?.(result)
    if (!settled && result instanceof Reply)
      throw new ReplyError('it declares neither headers, cookies nor several statuses')
    if (!check || (settled && !hasBody(settled.status))) return settled
    const outcome = check(settled ? settled.value : result, context)
    return outcome instanceof Promise
      ? outcome.then(checked => checkedValue(checked, settled))
      : checkedValue(outcome, settled)
  }
  const fail = async (error: unknown, context: CallContext): Promise<never> => {
    // It may be returned only later.
    answers?.get(context)?.then(discardAnswer, () => {})
    throw await toFailure(error, stage, context.log)
  }
  const later = async (work: Promise<unknown>, isDone: boolean, context: CallContext): Promise<unknown> => {
    try {
      const result = await work
      return isDone ? result : await finish(result, context)
    } catch (error) {
      return fail(error, context)
    }
  }
  return (input, context) => {
    try {
      context.deadline.throwIfEnded()
      const work = withContext(context, start, input, context)
      if (work instanceof Promise) return later(work, false, context)
      const result = finish(work, context)
      return result instanceof Promise ? later(result, true, context) : result
    } catch (error) {
      return fail(error, context)
    }
  }
}

/** @throws {ResponseMismatchError} */
function checkedValue(checked: Checked, settled: Settled | undefined): unknown {
  if (checked.problems) throw new ResponseMismatchError(checked.problems)
  return settled ? { ...settled, value: checked.value } : checked.value
}

/** Checks a value that never changes only the first time; then what is left of it never changes either. */
function once(check: Check): Check {
  const whole: Check = value => {
    const outcome = check(value)
    if (isLasting(value) && 'value' in outcome) lasting(outcome.value)
    return outcome
  }
  return value => makeOnce(value, whole)
}

/** Keeps what a handler returns, because some answers have to be closed if the call fails. */
function remembering(answers: WeakMap<CallContext, Promise<unknown>> | undefined, handle: Handle): Handle {
  if (!answers) return handle
  return call => {
    const answer = Promise.resolve(handle(call))
    answers.set(call.context, answer)
    return answer
  }
}

type Handle = (call: MiddlewareCall) => unknown

/** Calls the handler with what its procedure's access rule gives it. */
function compileHandle(
  procedure: BoundProcedure,
  handler: Handler,
  authorization: AuthorizationProvider | undefined,
  toFailure: FailureMapper,
): Handle {
  const { access, errors = {} } = procedure
  if (!needsUser(access)) return ({ input, context }) => handler(new HandlerCall(input, context, errors) as never)
  const start = compileAuthorize(procedure, authorization, toFailure)
  const callOf = ({ input, context }: MiddlewareCall) => new UserCall(input, context, errors, start)
  if (!roleBesideOwner(access)) return call => handler(callOf(call) as never)
  return async made => {
    const call = callOf(made)
    const answer = await handler(call as never)
    call.authorization.assertOwnerChecked()
    return answer
  }
}

/**
 * The argument of a handler. A class, so that all have one shape, with getters for values that few handlers read: an object literal with a
 * getter costs five times as much.
 */
class HandlerCall {
  readonly input: unknown
  readonly errors: object
  readonly context: CallContext

  constructor(input: unknown, context: CallContext, errors: object) {
    this.input = input
    this.errors = errors
    this.context = context
  }

  get user(): CallContext['user'] {
    return this.context.user
  }

  get signal(): AbortSignal {
    return this.context.deadline.signal
  }

  get lastEventId(): string | undefined {
    return lastEventIdOf(this.context)
  }
}

/** The argument of a handler whose caller is a user. */
class UserCall extends HandlerCall {
  readonly #start: (context: CallContext) => Authorization
  #authorization: Authorization | undefined

  constructor(input: unknown, context: CallContext, errors: object, start: (context: CallContext) => Authorization) {
    super(input, context, errors)
    this.#start = start
  }

  get authorization(): Authorization {
    this.#authorization ??= this.#start(this.context)
    return this.#authorization
  }

  get authorize(): Authorization['authorize'] {
    return this.authorization.authorize
  }
}
