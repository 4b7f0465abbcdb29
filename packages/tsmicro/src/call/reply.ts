import { type SetCookie, stringifySetCookie } from 'cookie'
import {
  type AnswerOf,
  type BoundProcedure,
  type DeepReadonly,
  hasBody,
  type ProcedureSpec,
  type StatusOf,
  statusesOf,
} from '../contract/index.ts'

/** A date is sent in HTTP's form, undefined is not sent. */
type HeaderValue = string | number | Date | undefined

/** The value of a cookie: any text, which is percent-encoded where necessary, or null to delete the cookie. */
type CookieValue = string | null | CookieSetting

interface CookieSetting {
  readonly value: string
  /** Seconds until it ends. Default: it ends with the browser's session. */
  readonly maxAgeSeconds?: number
  /** Default `/`. */
  readonly path?: string
  /** Default: this host alone, without its subdomains. */
  readonly domain?: string
  /** Default `lax`. */
  readonly sameSite?: 'strict' | 'lax' | 'none'
  /** False = scripts of a page may read it. Default true. */
  readonly httpOnly?: boolean
  /** False = it is also sent over plain HTTP. Default true. */
  readonly secure?: boolean
}

/** A value with what its HTTP answer says beside it. All of its fields can be written as JSON. Made by {@link reply}. */
export class Reply<Value = unknown, Status extends number = number, Header = string, Cookie = string> {
  readonly value: Value
  /** Undefined for the procedure's default. */
  readonly status: Status | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: Readonly<Record<string, CookieValue>>
  /** Only for the compiler: the names that are set. */
  declare readonly names?: readonly [Header, Cookie]

  constructor({
    value,
    status,
    headers,
    cookies,
  }: Pick<Reply<Value, Status>, 'value' | 'status' | 'headers' | 'cookies'>) {
    this.value = value
    this.status = status
    this.headers = headers
    this.cookies = cookies
  }
}

type NamesOf<P extends ProcedureSpec, Part extends 'headers' | 'cookies'> = P extends {
  readonly [K in Part]: infer Names
}
  ? keyof Names
  : never

type Declaring =
  | { readonly status: readonly number[] }
  | { readonly headers: Readonly<Record<string, string>> }
  | { readonly cookies: Readonly<Record<string, string>> }

type Bodiless = 204 | 303

/** The replies that the handler of a procedure may return. */
export type ReplyOf<P extends ProcedureSpec> = P extends Declaring
  ?
      | Reply<DeepReadonly<AnswerOf<P>>, Exclude<StatusOf<P>, Bodiless>, NamesOf<P, 'headers'>, NamesOf<P, 'cookies'>>
      | (Extract<StatusOf<P>, Bodiless> extends never
          ? never
          : Reply<undefined, Extract<StatusOf<P>, Bodiless>, NamesOf<P, 'headers'>, NamesOf<P, 'cookies'>>)
  : never

/**
 * A handler returns it instead of the value, to set a status, headers and cookies of the HTTP answer. Its procedure must declare them. Callers
 * over NATS get the value alone. Cookies are HttpOnly, Secure, SameSite=Lax and for the whole site unless they say otherwise.
 *
 * @example
 * const drafts = contract('blog', {
 *   create: procedure({
 *     http: 'POST /drafts', access: 'key', input: Type.Object({ slug: Type.String() }), output: Type.String(),
 *     status: 201, headers: { location: 'Where the draft is' }, cookies: { last: 'The latest draft' },
 *   }),
 * })
 * implement(drafts, {
 *   create: ({ input: { slug } }) =>
 *     reply(slug, { headers: { location: `drafts/${slug}` }, cookies: { last: { value: slug, maxAgeSeconds: 3600 } } }),
 * })
 */
export function reply<
  Value,
  Status extends number = never,
  Header extends string = never,
  Cookie extends string = never,
>(
  value: Value,
  {
    status,
    headers,
    cookies,
  }: {
    readonly status?: Status
    readonly headers?: Readonly<Record<Header, HeaderValue>>
    readonly cookies?: Readonly<Record<Cookie, CookieValue>>
  } = {},
): Reply<Value, Status, Header, Cookie> {
  const texts = Object.entries<HeaderValue>(headers ?? {}).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text instanceof Date ? text.toUTCString() : String(text)] as const],
  )
  return new Reply({ value, status, headers: Object.fromEntries(texts), cookies: cookies ?? {} })
}

/** A reply that may be sent. */
export interface Settled extends Pick<Reply, 'value' | 'headers'> {
  readonly status: number
  /** Values of `set-cookie`. */
  readonly cookies: readonly string[]
}

/** Latin-1 without controls (RFC 9110, 5.5). */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const ETAG = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

/**
 * Compiles the check of what the handler of a procedure that declares replies has returned, a reply or a value.
 * @throws {ReplyError} from the function: for what the procedure does not declare, or HTTP cannot carry
 */
export function compileSettle(procedure: BoundProcedure): (result: unknown) => Settled {
  const { headers: declared = {}, cookies: known = {} } = procedure
  const statuses: readonly number[] = statusesOf(procedure)
  const [usual = 200] = statuses
  return result => {
    if (!(result instanceof Reply) && usual !== 303) return { value: result, status: usual, headers: {}, cookies: [] }
    const { value, status = usual, headers, cookies } = result instanceof Reply ? result : reply(result)
    if (!statuses.includes(status)) throw new ReplyError(`status ${status} is not declared`)
    for (const [name, text] of Object.entries(headers)) {
      if (!Object.hasOwn(declared, name)) throw new ReplyError(`header ${JSON.stringify(name)} is not declared`)
      if (!FIELD_VALUE.test(text)) throw new ReplyError(`header ${name}: ${JSON.stringify(text)} cannot be sent`)
    }
    const { etag, location } = headers
    if (etag !== undefined && !ETAG.test(etag))
      throw new ReplyError(`header etag: write ${etag} with its quotes, '"…"'`)
    if (status === 303 && !location) throw new ReplyError('a 303 needs a location')
    const written = Object.entries(cookies).map(([name, setting]) => {
      if (!Object.hasOwn(known, name)) throw new ReplyError(`cookie ${JSON.stringify(name)} is not declared`)
      return writeCookie(name, setting)
    })
    return { value: hasBody(status) ? value : undefined, status, headers, cookies: written }
  }
}

function writeCookie(name: string, given: CookieValue): string {
  const setting = typeof given === 'string' ? { value: given } : (given ?? { value: '', maxAgeSeconds: 0 })
  const { value, maxAgeSeconds, path = '/', domain, sameSite = 'lax', httpOnly = true, secure = true } = setting
  const lasting = maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }
  const cookie: SetCookie = { name, value, path, sameSite, httpOnly, secure, ...lasting, ...(domain ? { domain } : {}) }
  try {
    return stringifySetCookie(cookie)
  } catch (cause) {
    throw new ReplyError(`cookie ${name} cannot be sent`, { cause })
  }
}

/** A handler returned a reply that its procedure does not allow. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
}
