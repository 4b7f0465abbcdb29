import type { Access, AnswerOf, DeepReadonly, ErrorsOf, ProcedureSpec, Role } from '../contract/index.ts'
import type { Infer } from '../schema/index.ts'
import type { CallContext } from './context.ts'
import type { Principal } from './principal.ts'

type UserOf<A extends Access> = A extends 'user' | Role ? { readonly user: Principal } : { readonly user?: undefined }

type GivenOf<P extends ProcedureSpec> = P extends { readonly input: infer S } ? { readonly input: Infer<S> } : unknown

/** What a handler receives: the validated input, the declared errors, and the call's context. */
export type CallOf<P extends ProcedureSpec> = GivenOf<P> &
  UserOf<P['access']> & {
    /** Constructors of the declared errors: `throw new errors.BLOG_NOT_FOUND()`. */
    readonly errors: ErrorsOf<P>
    readonly context: CallContext
    /** Aborts when the budget ends or the caller goes away. */
    readonly signal: AbortSignal
  }

/** Handlers may answer with read-only data: it is only read from here on. */
type Answer<P extends ProcedureSpec> = DeepReadonly<AnswerOf<P>>

/**
 * Answers a procedure: from the validated call to the response, synchronous or not. Throws declared errors.
 *
 * @example
 * const findBySlug: Handler<typeof reading.findBySlug> = ({ input }) => blogService.findBySlug(input.slug)
 */
export type Handler<P extends ProcedureSpec = ProcedureSpec> = (call: CallOf<P>) => Answer<P> | Promise<Answer<P>>
