import type { IncomingMessage } from 'node:http'
import { isGatewaysWord } from '@tsmicro/kong-plugins/shared'
import { boundedMemo } from '../server/bounded-memo.ts'
import { clientAddress } from '../server/client-address.ts'
import { VIA } from '../server/identity.ts'
import type { RequestTarget } from '../server/request-target.ts'
import { HOP_BY_HOP, namedByConnection } from './hop-by-hop.ts'

export interface ForwardedRequest {
  readonly target: RequestTarget
  readonly requestId: string
  /** What was stripped off the path, escaped; undefined when nothing was. */
  readonly strippedPrefix: string | undefined
  /** Names, in lower case, that a plugin keeps from the upstream. */
  readonly hidden: ReadonlySet<string>
}

/**
 * The header fields for the upstream, as name, value, name, value …; without Host, which depends on the target.
 *
 * X-Forwarded-For is appended to, as Kong does even for a client that is not in its (by default empty) trusted_ips: only
 * its last entry is the gateway's word, and X-Real-IP is that address alone. The other X-Forwarded fields of the client
 * are replaced.
 */
export function upstreamRequestHeaders(req: IncomingMessage, forwarded: ForwardedRequest): string[] {
  const named = namedByConnection(req.headers.connection)
  const raw = req.rawHeaders
  const headers: string[] = []
  let forwardedFor = ''
  let via = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const { lower, dropped } = fieldOf(name)
    if (dropped || (named.length > 0 && named.includes(lower))) continue
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `
    else if (lower === 'via') via += `${value}, `
    else if (!forwarded.hidden.has(lower)) headers.push(name, value)
  }
  const address = clientAddress(req)
  headers.push(
    'via',
    via + VIA,
    'x-forwarded-for',
    forwardedFor + address,
    'x-forwarded-proto',
    'http',
    'x-forwarded-host',
    forwarded.target.host,
    'x-forwarded-port',
    String(req.socket.localPort),
    'x-forwarded-path',
    forwarded.target.rawPath,
    'x-real-ip',
    address,
    'x-kong-request-id',
    forwarded.requestId,
  )
  if (forwarded.strippedPrefix !== undefined) headers.push('x-forwarded-prefix', forwarded.strippedPrefix)
  return headers
}

/** Set by the gateway, or answered by it (expect), or dangerous to CGI-like upstreams (proxy). */
const REPLACED: ReadonlySet<string> = new Set([
  'expect',
  'host',
  'proxy',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
])

/** By the name as it was sent: the same few come with every request. */
const fieldOf = boundedMemo((name: string) => {
  const lower = name.toLowerCase()
  return { lower, dropped: isDropped(lower) }
})

function isDropped(name: string): boolean {
  return HOP_BY_HOP.has(name) || REPLACED.has(name) || (name.startsWith('x') && isForged(name))
}

/** What only a gateway may say; beside what the plugins for Kong remove, Kong's own. */
function isForged(name: string): boolean {
  return isGatewaysWord(name) || /^x[-_]kong[-_]/.test(name)
}
