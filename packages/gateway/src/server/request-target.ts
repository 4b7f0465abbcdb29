import type { IncomingMessage } from 'node:http'
import { boundedMemo } from './bounded-memo.ts'

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
  let authority = hostHeader(req)
  if (authority === undefined) return undefined
  let url = req.url ?? ''
  if (!url.startsWith('/')) {
    const [whole, named = '', rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? []
    if (whole === undefined) return undefined
    authority = named
    url = rest.startsWith('/') ? rest : `/${rest}`
  }
  // A fragment is never part of a request; passing it on would let services disagree about where the path ends.
  const host = url.includes('#') ? undefined : hostOf(authority)
  if (host === undefined) return undefined
  const mark = url.indexOf('?')
  return {
    rawPath: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark),
    authority,
    host,
  }
}

/** Empty when there is none and need not be; undefined when there is none or are several and that is wrong. */
function hostHeader({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  let found: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (found !== undefined) return undefined
    found = rawHeaders[i + 1] ?? ''
  }
  return found ?? (httpVersion === '1.0' ? '' : undefined)
}

/** The host of an authority; undefined when it is none. */
const hostOf = boundedMemo((authority: string): string | undefined => {
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d*)?$/.test(authority)) return undefined
  return authority.replace(/:\d*$/, '').toLowerCase()
})
