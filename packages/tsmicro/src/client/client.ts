import { type BoundProcedure, type Caller, type Contract, parseRoute } from '../contract/index.ts'
import { SERVICE_UNAVAILABLE, VALIDATION_FAILED } from '../errors/index.ts'
import { writeJson } from '../schema/index.ts'
import { type Answer, compileAnswer } from './answer.ts'
import { below, resolveBaseUrl } from './base-url.ts'
import { type HeaderFields, mergeHeaders } from './headers.ts'
import { compileInput } from './input.ts'
import { pathOf } from './path.ts'
import { compilePlaces } from './places.ts'
import { compileQuery } from './query.ts'

/** For one call of an {@link HttpClient}. */
interface HttpCallOptions {
  /** Gives up when it aborts: the call fails with its reason. */
  readonly signal?: AbortSignal | undefined
  /** By name, whatever its spelling: these before the client's. */
  readonly headers?: HeaderFields
}

/** One function for each procedure with an HTTP door: it takes the input, and resolves to the output. */
export type HttpClient<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly http: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S> ? Caller<S, HttpCallOptions> : never
}

interface HttpClientOptions {
  /**
   * Where the contract's paths begin, e.g. `http://localhost:8000/blog`. In a browser it may be relative (`/api`): the page's address
   * completes it, once, when the client is made.
   */
  readonly baseUrl: string
  /** Sent with every call, e.g. the API key. */
  readonly headers?: HeaderFields
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>
}

/**
 * A typed client of a contract's HTTP door on `fetch`, in browsers as in Node. Failures are thrown as the declared error classes, so that
 * `catch (error) { if (error instanceof BLOG_NOT_FOUND) … }` works on this side, too.
 *
 * @example
 * const blogs: HttpClient<typeof reading> = createHttpClient(reading, { baseUrl: 'http://localhost:8000/blog', headers: { 'x-api-key': key } })
 * const blog = await blogs.findBySlug({ slug: 'hello' }, { signal: AbortSignal.timeout(2000) })
 * @example
 * // A `fetch` of one's own may add cookies, sign requests, or answer them in a test.
 * const answer = async () => Response.json({ data: { id, slug, title: 'Hello', text: 'World', author: 'Ada' } })
 * const { title } = await createHttpClient(reading, { baseUrl: 'http://blog', fetch: answer }).findBySlug({ slug })
 * title // 'Hello'
 * @throws {TypeError} when the base URL is invalid, or relative where there is no page
 * @throws {ApiError} from its functions: of the procedure or the framework; SERVICE_UNAVAILABLE when nothing answers; the code
 *   MALFORMED_REPLY when the answer does not match the output's schema; VALIDATION_FAILED when the input does not, and for what cannot be
 *   written in a URL or as JSON, like a path's field that is empty, `.` or `..`: nothing is sent then
 */
export function createHttpClient<C extends Contract>(contract: C, options: HttpClientOptions): HttpClient<C> {
  const base = resolveBaseUrl(options.baseUrl)
  const members = Object.entries(contract).filter(([, member]) => member.kind === 'procedure' && member.http)
  return Object.fromEntries(
    members.map(([name, member]) => [name, callerOf(member as BoundProcedure, base, options)]),
  ) as unknown as HttpClient<C>
}

function callerOf(procedure: BoundProcedure, base: URL, { headers: common, fetch: own }: HttpClientOptions) {
  const route = parseRoute(procedure.http ?? '')
  const check = compileInput(procedure)
  const divide = compilePlaces(procedure)
  const writeQuery = compileQuery(procedure.input)
  const read = compileAnswer(procedure)
  return async (input?: unknown, call: HttpCallOptions = {}): Promise<unknown> => {
    const { path, query, body } = divide(check(input))
    const url = below(base, pathOf(route, path))
    writeQuery(query, url.searchParams)
    const headers = mergeHeaders(common, call.headers)
    const text = body === undefined ? undefined : bodyOf(body)
    if (text !== undefined) headers.set('content-type', 'application/json')
    const { signal } = call
    const init = {
      method: route.method,
      headers,
      ...(text === undefined ? {} : { body: text }),
      ...(signal ? { signal } : {}),
    }
    return read(await exchange(own ?? fetch, url, init))
  }
}

async function exchange(send: NonNullable<HttpClientOptions['fetch']>, url: URL, init: RequestInit): Promise<Answer> {
  try {
    const response = await send(url, init)
    return { response, text: await response.text() }
  } catch (cause) {
    if (init.signal?.aborted) throw init.signal.reason
    // What fetch throws when it cannot connect, or the connection ends within the answer.
    throw cause instanceof TypeError ? new SERVICE_UNAVAILABLE(undefined, { cause }) : cause
  }
}

function bodyOf(body: unknown): string | undefined {
  try {
    return writeJson(body)
  } catch (cause) {
    throw new VALIDATION_FAILED([], { message: `the body ${(cause as Error).message}`, cause })
  }
}
