import { kindOfBody } from './body.ts'

/** Statuses of success. 204 and 303 have no body. */
export type SuccessStatus = 200 | 201 | 202 | 204 | 303

const STATUSES: readonly SuccessStatus[] = [200, 201, 202, 204, 303]
/** The names of headers and cookies (RFC 9110, 5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
/** They belong to the connection, or the framework itself writes them. */
const RESERVED =
  /^(connection|keep-alive|proxy-authenticate|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|content-type|content-encoding|content-range|date|set-cookie|x-request-id|x-content-type-options)$/

/** What a procedure says of its answers beside the value. */
export interface RepliesSpec {
  /**
   * HTTP status of success, or a list of those that a handler may choose by `reply`, the default first. 204 and 303 have no body. Default 200.
   */
  readonly status?: SuccessStatus | readonly SuccessStatus[]
  /** Headers that a handler may set by `reply`: names in lower case, with descriptions for the API's documentation. */
  readonly headers?: Readonly<Record<string, string>>
  /** Cookies that a handler may set by `reply`, with descriptions. Only without `nats`. */
  readonly cookies?: Readonly<Record<string, string>>
}

interface Doors {
  readonly http?: string
  readonly nats?: string
  readonly output?: object
}

/** The statuses of a procedure's success; the first is the default. */
export function statusesOf({ status = 200 }: RepliesSpec): readonly SuccessStatus[] {
  return [status].flat()
}

/** False for a status whose answer has no body. */
export function hasBody(status: number): boolean {
  return status !== 204 && status !== 303
}

/** Whether a handler may return a reply instead of the value. */
export function declaresReplies({ status, headers, cookies }: RepliesSpec): boolean {
  return typeof status === 'object' || headers !== undefined || cookies !== undefined
}

/** Says what is wrong with the statuses, headers and cookies of a procedure; undefined if nothing is. */
export function whyNotReplies(spec: RepliesSpec & Doors): string | undefined {
  const { http, nats, output, headers = {}, cookies = {} } = spec
  const statuses = statusesOf(spec)
  const [first = 0] = statuses
  if (new Set(statuses).size !== statuses.length || !statuses.every(each => STATUSES.includes(each)) || first === 0)
    return `status must be one or several of ${STATUSES.join(', ')}`
  if (output && !hasBody(first))
    return `status ${first} has no body: leave out output${statuses.length > 1 ? ', or name another status first' : ''}`
  if (statuses.includes(303) && !Object.hasOwn(headers, 'location'))
    return 'status 303 leads elsewhere: declare headers: { location }'
  if (kindOfBody(output) === 'stream' && (declaresReplies(spec) || first !== 200))
    return 'a stream begins before its handler has returned anything: leave out status, headers and cookies'
  for (const name of Object.keys(headers)) {
    if (RESERVED.test(name))
      return `headers: ${name} belongs to the framework${name === 'set-cookie' ? ', declare cookies' : ''}`
    if (!TOKEN.test(name) || name !== name.toLowerCase())
      return `headers: ${JSON.stringify(name)} is not a name in lower case`
  }
  const cookie = Object.keys(cookies).find(name => !TOKEN.test(name))
  if (cookie !== undefined) return `cookies: ${JSON.stringify(cookie)} is not the name of a cookie`
  if (declaresReplies(spec) && !http) return 'status, headers and cookies belong to HTTP: give it http'
  if (nats === undefined) return undefined
  const lost = spec.cookies ? 'its cookies' : statuses.includes(303) ? 'where its 303 leads' : undefined
  if (lost) return `callers over NATS get the value alone, and would not see ${lost}: leave out nats`
  if (output && statuses.includes(204)) return 'callers over NATS always get the output: leave out nats, or status 204'
  return undefined
}
