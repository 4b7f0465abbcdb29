import type { AnyErrorClass } from '../errors/index.ts'
import type { Schema } from '../schema/index.ts'
import type { Access } from './access.ts'
import type { FileBody, StreamBody, UploadBody } from './body.ts'
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

/** A fact that a service announces. */
export interface EventSpec {
  /** NATS subject, e.g. `user.created`: the thing, then what happened to it. */
  readonly subject: string
  /** Schema of the body: the data alone, without an envelope. */
  readonly data: Schema
  /** Version of the data's shape. Default 1. A field is removed, or changes its type, only with a new version. */
  readonly version?: number
  /** The field of the data that identifies the aggregate. Events are ordered per aggregate. */
  readonly aggregate: string
  readonly summary?: string
}
