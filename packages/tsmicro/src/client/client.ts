import type { BoundProcedure, Caller, Contract } from '../contract/index.ts'
import { fileOfOutput, followOf, partsOfRoute, statusesOf } from '../contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { type Answer, compileAnswer, statusOf } from './answer.ts'
import { compileRequest } from './request.ts'

/** Headers by name, in upper or lower case. Undefined = the header is not sent. */
type HeaderFields = Readonly<Record<string, string | undefined>>

/** Options for one call of an {@link HttpClient}. */
interface HttpCallOptions {
  /** Gives up when it aborts: the call fails with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Override the client's headers of the same name, in upper or lower case; undefined removes them from this call. */
  readonly headers?: HeaderFields
  /** Called with the status and the headers of the answer, a failure included, before the call resolves or rejects. */
  readonly onReply?: (reply: { readonly status: number; readonly headers: Headers }) => void
}

/** One function for each procedure with an HTTP door. It takes the input and resolves to the output. */
export type HttpClient<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly http: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S> ? Caller<S, HttpCallOptions> : never
}

interface HttpClientOptions {
  /**
   * The prefix of the contract's paths, e.g. `http://localhost:8000/blog`. In a browser it may be relative (`/api`): it is resolved against
   * the page's address once, when the client is created.
   */
  readonly baseUrl: string
  /** Sent with every call, e.g. the API key. */
  readonly headers?: HeaderFields
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>
}

/**
 * A typed client of a contract's HTTP door, built on `fetch`, for browsers and Node. It throws failures as the declared error classes, so
 * `catch (error) { if (error instanceof BLOG_NOT_FOUND) … }` works here, too.
 *
 * @example
 * const blogs: HttpClient<typeof reading> = createHttpClient(reading, { baseUrl: 'http://localhost:8000/blog', headers: { 'x-api-key': key } })
 * const blog = await blogs.findBySlug({ slug: 'hello' }, { signal: AbortSignal.timeout(2000) })
 * @example
 * // Your own `fetch` may add cookies, sign requests, or answer them in a test.
 * const answer = async () => Response.json({ data: { id, slug, title: 'Hello', text: 'World', author: 'Ada' } })
 * const { title } = await createHttpClient(reading, { baseUrl: 'http://blog', fetch: answer }).findBySlug({ slug })
 * title // 'Hello'
 * @throws {TypeError} if the base URL is invalid, or relative outside a browser
 * @throws {ApiError} from its functions: of the procedure or the framework; SERVICE_UNAVAILABLE when nothing answers; the code
 *   MALFORMED_REPLY when the answer does not match the output's schema; VALIDATION_FAILED when the input does not, and for what cannot be
 *   written in a URL or as JSON, like a path's field that is empty, `.` or `..`, or 5 where its text would stand for "5": nothing is sent then
 */
export function createHttpClient<C extends Contract>(contract: C, options: HttpClientOptions): HttpClient<C> {
  const base = resolveBaseUrl(options?.baseUrl)
  const members = Object.entries(contract).filter(([, member]) => member.kind === 'procedure' && member.http)
  return Object.fromEntries(
    members.map(([name, member]) => [name, callerOf(member as BoundProcedure, base, options)]),
  ) as unknown as HttpClient<C>
}

function callerOf(procedure: BoundProcedure, base: URL, { headers: common, fetch: own }: HttpClientOptions) {
  const { http = '', output } = procedure
  const { method } = partsOfRoute(http)
  const prepare = compileRequest(procedure)
  const follow = followOf(output)
  const isLeft = follow !== undefined || fileOfOutput(output) !== undefined
  // A 303 is the answer. Followed by fetch, its page would be taken for one, and headers such as an API key would be sent there.
  const redirect = statusesOf(procedure).includes(303) ? ({ redirect: 'manual' } as const) : {}
  const send = async (
    input: unknown,
    { headers: special, signal, onReply }: HttpCallOptions,
    added?: HeaderFields,
  ): Promise<Answer> => {
    const { path, query, body } = await prepare(input)
    const url = new URL(base)
    url.pathname = base.pathname.replace(/\/$/, '') + path
    for (const [name, texts] of Object.entries(query))
      for (const text of [texts].flat()) url.searchParams.append(name, text)
    const headers = mergeHeaders(common, special, added)
    if (typeof body === 'string') headers.set('content-type', 'application/json')
    const init = {
      method,
      headers,
      ...redirect,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    }
    const answer = await exchange(own ?? fetch, url, init, isLeft)
    onReply?.({ status: statusOf(answer.response), headers: answer.response.headers })
    return answer
  }
  if (follow) return follow(procedure, send, compileAnswer)
  const read = compileAnswer(procedure)
  return async (input?: unknown, options: HttpCallOptions = {}): Promise<unknown> => read(await send(input, options))
}

/** @param isLeft leaves the body of a success to the caller */
async function exchange(
  send: NonNullable<HttpClientOptions['fetch']>,
  url: URL,
  init: RequestInit,
  isLeft: boolean,
): Promise<Answer> {
  try {
    const response = await send(url, init)
    // The client already has the file of a 304.
    const isUnread = isLeft && (response.ok || response.status === 304)
    return { response, text: isUnread ? undefined : await response.text() }
  } catch (cause) {
    if (init.signal?.aborted) throw init.signal.reason
    // fetch throws this if it cannot connect, or if the connection closes during the answer.
    throw cause instanceof TypeError ? new SERVICE_UNAVAILABLE(undefined, { cause }) : cause
  }
}

/**
 * Merges headers by name, ignoring case; later ones win, undefined ones included.
 * @throws {TypeError} for a name or a value that HTTP does not allow
 */
function mergeHeaders(...sources: readonly (HeaderFields | undefined)[]): Headers {
  const headers = new Headers()
  for (const source of sources)
    for (const [name, value] of Object.entries(source ?? {}))
      value === undefined ? headers.delete(name) : headers.set(name, value)
  return headers
}

/**
 * The prefix of a contract's paths. In a browser, a relative one (`/api`) is resolved against the page's address.
 * @throws {TypeError} for a relative one outside a browser, and for one that `fetch` would not accept
 */
function resolveBaseUrl(baseUrl: string): URL {
  const refuse = (why: string): never => {
    throw new TypeError(`baseUrl ${JSON.stringify(baseUrl)}: ${why}`)
  }
  // No compiler checks plain JavaScript.
  if (typeof baseUrl !== 'string') refuse('give { baseUrl: "http://…" }')
  const page = (globalThis as { readonly location?: { readonly href?: string } }).location?.href
  const base = parse(baseUrl) ?? parse(baseUrl, page)
  if (!base) {
    return refuse(
      page === undefined
        ? 'outside a page it must start with http:// or https://'
        : `it is not a URL, and ${page} cannot complete it`,
    )
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:') refuse('it must start with http:// or https://')
  if (base.username !== '' || base.password !== '')
    refuse('fetch does not accept a user and password in it; send an authorization header')
  if (base.search !== '' || base.hash !== '') refuse('a path follows it, so it cannot end with a query or a fragment')
  return base
}

function parse(url: string, base?: string): URL | undefined {
  return URL.canParse(url, base) ? new URL(url, base) : undefined
}
