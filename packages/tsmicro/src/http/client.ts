import {
  type BoundProcedure,
  type Contract,
  hasNoBody,
  type InferInput,
  parseRoute,
  type ResponseOf,
} from '../contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { readAnswer } from './client-answer.ts'
import { pathOf } from './client-path.ts'

type PartOf<P, Name extends string> = P extends { readonly [K in Name]: infer S }
  ? { readonly [K in Name]: InferInput<S> }
  : unknown

type HttpInputOf<P> = P extends { readonly request: infer S }
  ? { readonly data: InferInput<S> }
  : PartOf<P, 'params'> & PartOf<P, 'query'> & PartOf<P, 'body'>

/** For one call of an {@link HttpClient}. */
export interface HttpCallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One function for each HTTP procedure: input as declared, resolved to the response's data. */
export type HttpClient<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly http: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S>
    ? (input: HttpInputOf<S>, options?: HttpCallOptions) => Promise<ResponseOf<S>>
    : never
}

export interface HttpClientOptions {
  /** Where the contract's paths begin, e.g. `http://localhost:8000/blog`. */
  readonly baseUrl: string
  /** Sent with every call, e.g. the API key. */
  readonly headers?: Readonly<Record<string, string>>
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

function callerOf(procedure: BoundProcedure, { baseUrl, headers: common }: HttpClientOptions) {
  const route = parseRoute(procedure.http ?? '')
  return async (input: Parts, call: HttpCallOptions = {}): Promise<unknown> => {
    const { params, query, body } = input.data ? divide(input.data, route) : input
    const url = new URL(baseUrl.replace(/\/$/, '') + pathOf(route, params ?? {}))
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, String(each))
    }
    const headers = {
      ...common,
      ...call.headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const init: RequestInit = { method: route.method, headers, ...(call.signal ? { signal: call.signal } : {}) }
    try {
      const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) })
      return readAnswer(procedure, response, await response.text())
    } catch (cause) {
      if (call.signal?.aborted) throw call.signal.reason
      // What fetch throws when it cannot connect, or the connection ends within the answer.
      throw cause instanceof TypeError ? new SERVICE_UNAVAILABLE(undefined, { cause }) : cause
    }
  }
}

function divide(data: Readonly<Record<string, unknown>>, route: ReturnType<typeof parseRoute>): Parts {
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !route.params.includes(name)))
  return hasNoBody(route.method) ? { params: data, query: rest } : { params: data, body: rest }
}
