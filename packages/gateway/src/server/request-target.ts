import type { IncomingMessage } from 'node:http'
import { boundedMemo } from './header-fields.ts'

export interface RequestTarget {
  /** As sent, without the query. */
  readonly rawPath: string
  /** With its question mark; empty without one. A bare `?` is kept, as in Kong. */
  readonly query: string
  /** The Host header, or the authority of an absolute-form target, which takes precedence. */
  readonly authority: string
  /** The authority in lower case, without its port. */
  readonly host: string
}

/** Parses the request line and the Host header. Returns undefined where nginx would answer 400. */
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
  // A fragment is never part of a request. If it was forwarded, services might disagree about where the path ends.
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

/** Returns an empty string if HTTP/1.0 sent no Host, undefined if HTTP/1.1 sent none or if there are several. */
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

/** Returns undefined if the text is not an authority. */
const hostOf = boundedMemo((authority: string): string | undefined => {
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d*)?$/.test(authority)) return undefined
  return authority.replace(/:\d*$/, '').toLowerCase()
})

/** The address of the other end of the connection. IPv4 addresses have their usual form on a dual-stack socket too. */
export function clientAddress(req: Pick<IncomingMessage, 'socket'>): string {
  const address = req.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
