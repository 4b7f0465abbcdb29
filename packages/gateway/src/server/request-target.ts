import type { IncomingMessage } from 'node:http'
import { headerValues } from './header-values.ts'

export interface RequestTarget {
  /** As sent, without the query. */
  readonly rawPath: string
  /** With its question mark; empty when there is none. `?` alone is kept, as Kong does. */
  readonly query: string
  /** The host header, or the authority of an absolute-form target, which takes precedence. */
  readonly authority: string
  /** The same in lower case without its port. */
  readonly host: string
}

/** Takes a request line and Host header apart; undefined when nginx would answer 400. */
export function requestTarget(req: IncomingMessage): RequestTarget | undefined {
  const [first, ...further] = headerValues(req, 'host')
  if (further.length > 0 || (first === undefined && req.httpVersion !== '1.0')) return undefined
  let authority = first ?? ''
  let url = req.url ?? ''
  if (!url.startsWith('/')) {
    const [whole, host = '', rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? []
    if (whole === undefined) return undefined
    authority = host
    url = rest.startsWith('/') ? rest : `/${rest}`
  }
  // A fragment is never part of a request; passing it on would let services disagree about where the path ends.
  if (url.includes('#') || !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d*)?$/.test(authority)) return undefined
  const mark = url.indexOf('?')
  return {
    rawPath: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark),
    authority,
    host: authority.replace(/:\d*$/, '').toLowerCase(),
  }
}
