import { type BoundProcedure, hasNoBody, type InferInput, parseRoute } from '../contract/index.ts'
import type { Fields, Places } from './places.ts'

// The shape of calls to procedures that still have `params`, `query`, `body` or `request`. Goes away with those words.

export type FormerWord = 'request' | 'params' | 'query' | 'body'

type PartOf<P, Name extends string> = P extends { readonly [K in Name]: infer S }
  ? { readonly [K in Name]: InferInput<S> }
  : unknown

export type FormerInput<P> = P extends { readonly request: infer S }
  ? { readonly data: InferInput<S> }
  : PartOf<P, 'params'> & PartOf<P, 'query'> & PartOf<P, 'body'>

export function hasFormerWords({ request, params, query, body }: BoundProcedure): boolean {
  return Boolean(request || params || query || body)
}

interface Parts {
  readonly params?: Fields
  readonly query?: Fields
  readonly body?: unknown
  readonly data?: Fields
}

export function divideFormer(procedure: BoundProcedure): (input: unknown) => Places {
  const { method, params: names } = parseRoute(procedure.http ?? '')
  return input => {
    const { params = {}, query = {}, body, data } = (input ?? {}) as Parts
    if (!data) return { path: params, query, body }
    const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name)))
    return hasNoBody(method) ? { path: data, query: rest } : { path: data, query: {}, body: rest }
  }
}
