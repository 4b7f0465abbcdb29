import { whyNotProcedure } from '#refusals'
import type { AnyErrorClass } from '../errors/index.ts'
import { interpreted, type Schema } from '../schema/index.ts'
import type { Access } from './access.ts'
import type { FileBody, StreamBody, UploadBody } from './body.ts'
import { CHECKS, type WithChecks } from './checks.ts'
import type { HttpRoute } from './http-route.ts'
import type { RepliesSpec } from './replies.ts'

/** A procedure of a contract, as data. It needs `http`, `nats` or both. */
export interface ProcedureSpec extends RepliesSpec {
  /** The HTTP door: `GET /slug/:slug`, below the service's and controller's base path. */
  readonly http?: HttpRoute
  /** The NATS door: the endpoint's name below the service's: `validate.token` in contract `auth` is `auth.validate.token`. */
  readonly nats?: string
  readonly access: Access
  /** One line for the API's documentation. */
  readonly summary?: string
  /**
   * What a caller passes, at either door. Over HTTP, fields named in the path come from the path. The others come from the query (GET,
   * DELETE) or the body, except those that the route names: `PUT /blogs/:id?notify`. A `file` or an `upload` is a body
   * of bytes. Absent = no input is accepted.
   */
  readonly input?: Schema | FileBody | UploadBody
  /** What a caller receives: a JSON value, a `file` or a `stream`. Absent = the answer has no data. */
  readonly output?: Schema | FileBody | StreamBody
  /** Errors that a handler may throw, in addition to the framework's own. Any other is logged and answered with 500. */
  readonly errors?: Readonly<Record<string, AnyErrorClass>>
  /** The envelope's message on success. Default `Success`. */
  readonly message?: string
  /** True = the HTTP answer is the response itself, without the envelope. Default false. */
  readonly bare?: boolean
  /**
   * True = calling twice has the same effect as calling once; only such procedures may be retried. Default false, but gateways assume true
   * for a GET that does not say.
   */
  readonly idempotent?: boolean
  /**
   * True = a POST or PATCH that comes again with the same header `Idempotency-Key` gets the first answer again; `required` = each needs
   * the header. The caller must be known: access by a key, a user or a role. The module needs the middleware `idempotencyKey`.
   */
  readonly idempotencyKey?: true | 'required'
  /** Milliseconds that a handler may take before its signal aborts and the caller gets a 504; a day at most. Default: the service's. */
  readonly timeoutMs?: number
  /** Largest HTTP body in bytes. Default: the service's. An input with files has limits of its own. */
  readonly bodyLimitBytes?: number
}

const WORDS: readonly string[] = Object.keys({
  http: true,
  nats: true,
  access: true,
  summary: true,
  input: true,
  output: true,
  errors: true,
  status: true,
  headers: true,
  cookies: true,
  message: true,
  bare: true,
  idempotent: true,
  idempotencyKey: true,
  timeoutMs: true,
  bodyLimitBytes: true,
} satisfies Record<keyof ProcedureSpec, true>)

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
  const label = spec.http ?? spec.nats ?? 'procedure'
  const why = whyNotProcedure(spec, WORDS)
  if (why) throw new TypeError(`${label}: ${why}`)
  return Object.freeze({ ...spec, kind: 'procedure' as const, [CHECKS]: interpreted })
}
