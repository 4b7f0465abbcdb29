import type { IncomingMessage } from 'node:http'
import { isGatewayHeader } from '@tsmicro/kong-plugins/shared'
import { VIA } from '../server/answer.ts'
import { boundedMemo, removeField } from '../server/header-fields.ts'
import { clientAddress, type RequestTarget } from '../server/request-target.ts'

interface ForwardedRequest {
  readonly target: RequestTarget
  readonly requestId: string
  /** The part that was stripped from the path, escaped; undefined if nothing was. */
  readonly strippedPrefix: string | undefined
  /** Names, in lower case, that plugins hide from the upstream. */
  readonly hidden: ReadonlySet<string>
}

/**
 * Returns the header fields for the upstream, as name, value, name, value …; without Host, which depends on the target.
 *
 * The client's address is appended to X-Forwarded-For, as Kong does even for clients that are not in its (by default empty)
 * trusted_ips. So only the last entry comes from the gateway; X-Real-IP is that address alone. The client's other X-Forwarded fields
 * are replaced.
 */
export function upstreamRequestHeaders(req: IncomingMessage, forwarded: ForwardedRequest): string[] {
  const named = namedByConnection(req.headers.connection)
  const raw = req.rawHeaders
  const headers: string[] = []
  let forwardedFor: string | undefined
  let via = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const { lower, dropped } = fieldOf(name)
    if (dropped || (named.length > 0 && named.includes(lower))) continue
    // As in Kong, only the first line counts.
    if (lower === 'x-forwarded-for') forwardedFor ??= `${value}, `
    else if (lower === 'via') via += `${value}, `
    else if (!forwarded.hidden.has(lower)) headers.push(name, value)
  }
  const address = clientAddress(req)
  headers.push(
    'via',
    via + VIA,
    'x-forwarded-for',
    (forwardedFor ?? '') + address,
    'x-forwarded-proto',
    'http',
    'x-forwarded-host',
    forwarded.target.named,
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

/** Fields that the gateway sets or answers itself (expect), or that are dangerous for CGI-like upstreams (proxy). */
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

/** By the name as sent: every request has the same few. */
const fieldOf = boundedMemo((name: string) => {
  const lower = name.toLowerCase()
  return { lower, dropped: isDropped(lower) }
})

function isDropped(name: string): boolean {
  return HOP_BY_HOP.has(name) || REPLACED.has(name) || (name.startsWith('x') && isForged(name))
}

/** Fields that only a gateway may set: Kong's own, and those that the plugins for Kong remove. */
function isForged(name: string): boolean {
  return isGatewayHeader(name) || /^x[-_]kong[-_]/.test(name)
}

export interface Latencies {
  readonly requestId: string
  /** Milliseconds until the request was sent to the upstream. */
  readonly proxyMs: number
  /** Milliseconds from then until the upstream's headers arrived. */
  readonly upstreamMs: number
}

/** Returns the header fields for the client, as name, value, name, value … (so that Set-Cookie may repeat). */
export function clientResponseHeaders(raw: readonly (Buffer | string)[], latencies: Latencies): string[] {
  const headers: string[] = []
  let connection: string | undefined
  let chunked = false
  let via = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i])
    const role = roleOf(name)
    if (role === 'passed') headers.push(name, text(raw[i + 1]))
    else if (role === 'connection')
      connection = connection === undefined ? text(raw[i + 1]) : `${connection},${text(raw[i + 1])}`
    else if (role === 'transfer-encoding') chunked = true
    else if (role === 'via') via += `${text(raw[i + 1])}, `
  }
  for (const name of namedByConnection(connection)) removeField(headers, name)
  if (chunked) removeField(headers, 'content-length')
  headers.push(
    'via',
    via + VIA,
    'x-kong-upstream-latency',
    String(Math.round(latencies.upstreamMs)),
    'x-kong-proxy-latency',
    String(Math.round(latencies.proxyMs)),
    'x-kong-request-id',
    latencies.requestId,
  )
  return headers
}

/** The header fields of an answer of the nginx in Kong, after a request was sent. */
export function latencyFields({ upstreamMs, proxyMs }: Latencies): Record<string, string> {
  return {
    via: VIA,
    'x-kong-upstream-latency': String(Math.round(upstreamMs)),
    'x-kong-proxy-latency': String(Math.round(proxyMs)),
  }
}

/** Returns the header fields of a 101, without the length of a body: it cannot have one. */
export function switchingHeaders(raw: readonly (Buffer | string)[], latencies: Latencies): string[] {
  const headers = clientResponseHeaders(raw, latencies)
  removeField(headers, 'content-length')
  headers.push('connection', 'upgrade', 'upgrade', 'websocket')
  return headers
}

type Role = 'passed' | 'dropped' | 'connection' | 'transfer-encoding' | 'via'

/** By the name as sent: every answer has the same few. */
const roleOf = boundedMemo((name: string): Role => {
  const lower = name.toLowerCase()
  if (lower === 'connection' || lower === 'transfer-encoding' || lower === 'via') return lower
  return HOP_BY_HOP.has(lower) || GATEWAY_FIELDS.has(lower) ? 'dropped' : 'passed'
})

const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  'x-kong-upstream-latency',
  'x-kong-proxy-latency',
  'x-kong-response-latency',
  'x-kong-request-id',
])

function text(field: Buffer | string | undefined): string {
  return typeof field === 'string' ? field : (field?.toString('latin1') ?? '')
}

/** Header fields of a single connection, which are never forwarded (RFC 9110, 7.6.1), in lower case. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NONE: readonly string[] = []

/** Returns the further fields that a Connection header names, in lower case. */
function namedByConnection(connection: string | undefined): readonly string[] {
  // Nearly every message has one of these values; only the others are split.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE
  return connection.split(',').map(name => name.trim().toLowerCase())
}
