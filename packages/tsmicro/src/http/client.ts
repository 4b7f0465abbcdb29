import {
  type BoundProcedure,
  type Caller,
  type Contract,
  hasNoBody,
  type InferInput,
  parseRoute,
  type ResponseOf,
} from '../contract/index.ts'
import { SERVICE_UNAVAILABLE, VALIDATION_FAILED } from '../errors/index.ts'
import { compileSchema, isStandardSchema, tellProblems, writeJson } from '../schema/index.ts'
import { readAnswer } from './client-answer.ts'
import { pathOf } from './client-path.ts'
import { compileQuery } from './client-query.ts'

type PartOf<P, Name extends string> = P extends { readonly [K in Name]: infer S }
  ? { readonly [K in Name]: InferInput<S> }
  : unknown

type HttpInputOf<P> = P extends { readonly request: infer S }
  ? { readonly data: InferInput<S> }
  : PartOf<P, 'params'> & PartOf<P, 'query'> & PartOf<P, 'body'>

/** For one call of an {@link HttpClient}. */
interface HttpCallOptions {
  /** By name, whatever its spelling: these before the client's. */
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One function for each HTTP procedure: input as declared, resolved to the response's data. */
export type HttpClient<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly http: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S>
    ? Extract<keyof S, 'request' | 'params' | 'query' | 'body'> extends never
      ? Caller<S, HttpCallOptions>
      : (input: HttpInputOf<S>, options?: HttpCallOptions) => Promise<ResponseOf<S>>
    : never
}

export interface HttpClientOptions {
  /** Where the contract's paths begin, e.g. `http://localhost:8000/blog`. */
  readonly baseUrl: string
  /** Sent with every call, e.g. the API key. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>
}

/**
 * A typed client of a contract's HTTP door on `fetch`. Failures are thrown as the declared error classes, so that
 * `catch (error) { if (error instanceof BLOG_NOT_FOUND) … }` works on this side, too.
 *
 * @example
 * const blogs = createHttpClient(reading, { baseUrl: 'http://localhost:8000/blog', headers: { 'x-api-key': key } })
 * const blog = await blogs.findBySlug({ params: { slug: 'hello' } })
 * @throws {ApiError} of the procedure or the framework; SERVICE_UNAVAILABLE when nothing answers; VALIDATION_FAILED for a
 *   path parameter that is empty, `.` or `..`, which would address something else; nothing is sent then
 */
export function createHttpClient<C extends Contract>(contract: C, options: HttpClientOptions): HttpClient<C> {
  const members = Object.entries(contract).filter(([, member]) => member.kind === 'procedure' && member.http)
  return Object.fromEntries(
    members.map(([name, member]) => [name, callerOf(member as BoundProcedure, options)]),
  ) as unknown as HttpClient<C>
}

interface Parts {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly data?: Readonly<Record<string, unknown>>
}

function callerOf(procedure: BoundProcedure, { baseUrl, headers: common, fetch: own }: HttpClientOptions) {
  const route = parseRoute(procedure.http ?? '')
  const writeQuery = compileQuery(procedure.input ?? procedure.query ?? procedure.request)
  const flat = !(procedure.params || procedure.query || procedure.body || procedure.request)
  const decode = compileAnswerOf(procedure)
  return async (input: Parts = {}, call: HttpCallOptions = {}): Promise<unknown> => {
    const parts = flat ? partsOf(procedure, input, route) : input
    const { params, query, body } = parts.data ? divide(parts.data, route) : parts
    const url = new URL(baseUrl.replace(/\/$/, '') + pathOf(route, params ?? {}))
    writeQuery(query ?? {}, url.searchParams)
    const headers = headersOf(common, call.headers)
    const text = body === undefined ? undefined : bodyOf(body)
    if (text !== undefined) headers.set('content-type', 'application/json')
    const init: RequestInit = { method: route.method, headers, ...(call.signal ? { signal: call.signal } : {}) }
    const { response, answer } = await exchange(
      own ?? fetch,
      url,
      text === undefined ? init : { ...init, body: text },
      call.signal,
    )
    return decode(readAnswer(procedure, response, answer), response.url)
  }
}

type Send = NonNullable<HttpClientOptions['fetch']>

async function exchange(send: Send, url: URL, init: RequestInit, signal: AbortSignal | undefined) {
  try {
    const response = await send(url, init)
    return { response, answer: await response.text() }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason
    // What fetch throws when it cannot connect, or the connection ends within the answer.
    throw cause instanceof TypeError ? new SERVICE_UNAVAILABLE(undefined, { cause }) : cause
  }
}

/** @throws {TypeError} for a name or a value that no header can have */
function headersOf(...sources: readonly (HttpCallOptions['headers'] | undefined)[]): Headers {
  const headers = new Headers()
  for (const source of sources)
    for (const [name, value] of Object.entries(source ?? {})) if (value !== undefined) headers.set(name, value)
  return headers
}

function bodyOf(body: unknown): string | undefined {
  try {
    return writeJson(body)
  } catch (cause) {
    throw new VALIDATION_FAILED([], { message: `the body ${(cause as Error).message}`, cause })
  }
}

/** A Standard Schema may make something of what came: a number of a text. That is done here, once; others are taken as they are. */
function compileAnswerOf(procedure: BoundProcedure): (data: unknown, url: string) => unknown {
  const response = procedure.output ?? procedure.response
  if (!response || !isStandardSchema(response)) return data => data
  const check = compileSchema(response, 'ignore')
  return async (data, url) => {
    const checked = await check(data)
    if (!checked.problems) return checked.value
    const cause = new Error(`the answer of ${url} does not match its schema: ${tellProblems(checked.problems)}`)
    throw new SERVICE_UNAVAILABLE(undefined, { cause })
  }
}

/** Where the fields of an input go. */
function partsOf(procedure: BoundProcedure, input: unknown, route: ReturnType<typeof parseRoute>): Parts {
  if (!procedure.input) return {}
  const { method, params, query } = route
  if (!hasNoBody(method) && params.length === 0 && query.length === 0) return { body: input }
  const fields = Object.entries(input as object)
  const inPath = Object.fromEntries(fields.filter(([name]) => params.includes(name)))
  const inQuery = fields.filter(([name]) => (hasNoBody(method) ? !params.includes(name) : query.includes(name)))
  const rest = fields.filter(([name]) => !params.includes(name) && !query.includes(name))
  const body = hasNoBody(method) || rest.length === 0 ? {} : { body: Object.fromEntries(rest) }
  return { params: inPath, query: Object.fromEntries(inQuery), ...body }
}

function divide(data: Readonly<Record<string, unknown>>, route: ReturnType<typeof parseRoute>): Parts {
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !route.params.includes(name)))
  return hasNoBody(route.method) ? { params: data, query: rest } : { params: data, body: rest }
}
