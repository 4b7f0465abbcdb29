import { checkProcedure } from '#refusals'
import { interpreted } from '../schema/index.ts'
import { CHECKS, type WithChecks } from './checks.ts'
import type { ProcedureSpec } from './spec.ts'

/**
 * A checked {@link ProcedureSpec}, not yet part of a contract.
 *
 * @example
 * const greet: Procedure = procedure({ nats: 'greet', access: 'internal', output: Type.String() })
 */
export type Procedure<S extends ProcedureSpec = ProcedureSpec> = S & WithChecks & { readonly kind: 'procedure' }

/** A misspelt or removed option would silently have no effect. */
type NoOtherWords<S> = { readonly [K in Exclude<keyof S, keyof ProcedureSpec>]: never }

/**
 * Declares a procedure.
 *
 * @example
 * const findBySlug = procedure({
 *   http: 'GET /slug/:slug', nats: 'find.slug', access: 'key',
 *   input: Type.Object({ slug: Type.String() }), output: PublicBlog, errors: { BLOG_NOT_FOUND },
 * })
 * @throws {TypeError} when the options contradict each other; the message says how
 */
export function procedure<const S extends ProcedureSpec>(spec: S & NoOtherWords<S>): Procedure<S> {
  checkProcedure(spec)
  return Object.freeze({ ...spec, kind: 'procedure' as const, [CHECKS]: interpreted })
}
