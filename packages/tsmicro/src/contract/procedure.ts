import type { AnyErrorClass } from '../errors/index.ts'
import { describeSchema, propertiesOf, type Schema, tellUncarried } from '../schema/index.ts'
import { type Access, isAccess } from './access.ts'
import { type HttpRoute, hasNoBody, parseRoute } from './http-route.ts'
import { checkSubject } from './subject.ts'

/** One callable thing of a contract, as data. At least one of `http` and `nats` is given. */
export interface ProcedureSpec {
  /** The HTTP door: `GET /slug/:slug`, below the service's and controller's base path. */
  readonly http?: HttpRoute
  /** The NATS door: the endpoint's name below the service's: `validate.token` in contract `auth` is `auth.validate.token`. */
  readonly nats?: string
  readonly access: Access
  /** One line for the API's documentation. */
  readonly summary?: string
  /**
   * What a caller gives, whatever the door. Over HTTP the fields that the path names come from the path, the others from the query
   * (GET, DELETE) or the body, save those that the route names: `PUT /blogs/:id?notify`. Absent = no input is accepted.
   */
  readonly input?: Schema
  /** What a caller gets. Absent = no data is answered. */
  readonly output?: Schema
  /** Path parameters; an object schema that names exactly those of the route. Strings are converted to its types. */
  readonly params?: Schema
  /** Query; an object schema. Strings are converted to its types. Absent = no query is accepted. */
  readonly query?: Schema
  /** JSON body. Absent = no body is accepted. */
  readonly body?: Schema
  /**
   * The whole request as one schema: what the NATS door receives. A procedure with both doors has only this: over HTTP its
   * fields come from the path, and the others from the query (GET, DELETE) or the body.
   */
  readonly request?: Schema
  /** Absent = no data is answered. */
  readonly response?: Schema
  /** Errors that a handler may answer with, beside the framework's own. Any other is a logged 500. */
  readonly errors?: Readonly<Record<string, AnyErrorClass>>
  /** HTTP status of success. Default 200. */
  readonly status?: 200 | 201 | 202
  /** The envelope's message on success. Default `Success`. */
  readonly message?: string
  /** True = the HTTP answer is the bare response without the envelope. Default false. */
  readonly bare?: boolean
  /**
   * True = calling twice does what calling once does; only such procedures may be retried. Default false; gateways take a GET
   * that does not say for true.
   */
  readonly idempotent?: boolean
  /** Milliseconds a handler may take before its signal aborts and the caller gets 504; a day at most. Default: the service's. */
  readonly timeoutMs?: number
  /** Largest HTTP body in bytes. Default: the service's. */
  readonly bodyLimitBytes?: number
}

/** What takes longer is a job, and not a call that somebody waits for. */
const LONGEST_TIMEOUT_MS = 24 * 60 * 60 * 1000

declare const checked: unique symbol

/** A checked {@link ProcedureSpec}, not yet part of a contract. */
export type Procedure<S extends ProcedureSpec = ProcedureSpec> = S & {
  readonly kind: 'procedure'
  readonly [checked]?: true
}

type PartsOrRequest<S> = S extends { readonly http: string; readonly nats: string }
  ? { readonly params?: never; readonly query?: never; readonly body?: never }
  : S extends { readonly nats: string }
    ? { readonly params?: never; readonly query?: never; readonly body?: never }
    : unknown

/**
 * Declares a procedure.
 *
 * @example
 * const findBySlug = procedure({
 *   http: 'GET /slug/:slug', nats: 'find.slug', access: 'key',
 *   input: Type.Object({ slug: Type.String() }), output: PublicBlog, errors: { BLOG_NOT_FOUND },
 * })
 * @throws {TypeError} when the parts contradict each other; the message says how
 */
export function procedure<const S extends ProcedureSpec>(spec: S & PartsOrRequest<S>): Procedure<S> {
  const label = spec.http ?? spec.nats ?? 'procedure'
  const refuse = (why: string): never => {
    throw new TypeError(`${label}: ${why}`)
  }
  if (!spec.http && !spec.nats) refuse('give it a door: http, nats or both')
  if (!isAccess(spec.access)) refuse('access is missing: open, key, user, internal or a role')
  if (spec.request && (spec.params || spec.query || spec.body)) refuse('give it `request` or its parts, not both')
  if (spec.timeoutMs !== undefined && !(spec.timeoutMs > 0 && spec.timeoutMs <= LONGEST_TIMEOUT_MS))
    refuse('timeoutMs must be above 0 and at most a day (86400000)')
  if (spec.nats !== undefined) checkSubject(spec.nats)
  if (spec.nats && (spec.params || spec.query || spec.body))
    refuse('a procedure with a NATS door takes one `request` schema')
  if (spec.http) {
    const route = parseRoute(spec.http)
    const named = [...route.params, ...route.query]
    if (spec.input) {
      const fields = propertiesOf(describeSchema(spec.input))
      const unknown = named.find(name => !Object.hasOwn(fields, name))
      if (unknown !== undefined) refuse(`the route names ${unknown}, which is not a field of the input`)
    }
    if (hasNoBody(route.method) && spec.body) refuse(`${route.method} takes no body`)
    const schema = (spec.input ?? spec.request ?? spec.params) as { properties?: object } | undefined
    const known = schema?.properties ? Object.keys(schema.properties) : undefined
    if (route.params.length > 0 && !schema) refuse(`declare the path parameters ${route.params.join(', ')}`)
    if (!spec.input && known && route.params.some(name => !known.includes(name)))
      refuse('the path names a parameter that the schema does not')
    if (known && spec.params && known.length !== route.params.length)
      refuse('params must name exactly those of the path')
  }
  for (const part of ['input', 'output', 'params', 'query', 'body', 'request', 'response'] as const) {
    const why = spec[part] && tellUncarried(spec[part])
    if (why) refuse(`${part}: ${why}`)
  }
  for (const [name, error] of Object.entries(spec.errors ?? {})) {
    if (name !== error.code) refuse(`error ${error.code} is listed as ${name}`)
  }
  return Object.freeze({ ...spec, kind: 'procedure' as const })
}
