import type { IncomingMessage } from 'node:http'
import { boundedMemo } from './header-fields.ts'
import { MAX_HEADER_BYTES, MAX_LINE_LENGTH } from './limits.ts'

export interface RequestTarget {
  /** As sent, without the query. */
  readonly rawPath: string
  /** With its question mark; empty without one. A bare `?` is kept, as in Kong. */
  readonly query: string
  /** The Host header, by which Kong finds routes, even if the target names another host. */
  readonly authority: string
  /** The authority in lower case, without its port. */
  readonly host: string
  /** nginx's `$host`: that of an absolute-form target, or else `host`. */
  readonly named: string
}

/** Parses the request line and the Host header. Returns undefined where nginx would answer 400. */
export function requestTarget(req: IncomingMessage): RequestTarget | undefined {
  const authority = hostField(req)
  const host = authority === undefined ? undefined : hostOf(authority)
  if (authority === undefined || host === undefined) return undefined
  let named: string | undefined = host
  let url = req.url ?? ''
  if (!url.startsWith('/')) {
    const [whole, target = '', rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? []
    if (whole === undefined) return undefined
    named = hostOf(target)
    url = rest.startsWith('/') ? rest : `/${rest}`
  }
  // A fragment is never part of a request. If it was forwarded, services might disagree about where the path ends.
  if (named === undefined || url.includes('#')) return undefined
  const mark = url.indexOf('?')
  return {
    rawPath: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark),
    authority,
    host,
    named,
  }
}

/**
 * Returns an empty string if HTTP/1.0 sent no Host. Returns undefined for what nginx refuses while it reads header fields: HTTP/1.1 without
 * a Host, an empty one, lines that are too long, alone or together, a repeated field that may only come once.
 */
function hostField({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  let found: string | undefined
  let seen = 0
  let bytes = 0
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const value = rawHeaders[i + 1] ?? ''
    const length = name.length + value.length + SEPARATORS
    if (length > MAX_LINE_LENGTH) return undefined
    bytes += length
    const bit = bitOf(name)
    if ((seen & bit) !== 0) return undefined
    seen |= bit
    if (bit === HOST) found = value
  }
  if (bytes > MAX_HEADER_BYTES) return undefined
  if (found === undefined) return httpVersion === '1.0' ? '' : undefined
  return found === '' ? undefined : found
}

/** The colon, a space and the end of a line. */
const SEPARATORS = 4

/** The fields that nginx takes only once. node:http itself has checked the lengths of bodies. */
const ONCE = [
  'host',
  'expect',
  'if-match',
  'if-range',
  'authorization',
  'if-none-match',
  'content-range',
  'if-modified-since',
  'if-unmodified-since',
]
const HOST = 1
/** By length and first letter: most other names are told apart by these alone. */
const LIKELY = Uint8Array.from({ length: 1024 }, (_, key) => (ONCE.some(name => keyOf(name) === key) ? 1 : 0))

function keyOf(name: string): number {
  return ((name.length & 31) << 5) | (name.charCodeAt(0) & 31)
}

/** Returns a bit of its own for each of these fields; 0 for any other. */
function bitOf(name: string): number {
  if (LIKELY[keyOf(name)] === 0) return 0
  const at = ONCE.indexOf(name.toLowerCase())
  return at === -1 ? 0 : HOST << at
}

/** Returns undefined if the text is not an authority. */
const hostOf = boundedMemo((authority: string): string | undefined => {
  if (!/^(?:(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?)?$/.test(authority)) return undefined
  return authority.replace(/:\d*$/, '').toLowerCase()
})

/** The address of the other end of the connection. IPv4 addresses have their usual form on a dual-stack socket too. */
export function clientAddress(req: Pick<IncomingMessage, 'socket'>): string {
  const address = req.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
