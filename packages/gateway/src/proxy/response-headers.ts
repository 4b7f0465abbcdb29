import { boundedMemo } from '../server/bounded-memo.ts'
import { VIA } from '../server/identity.ts'
import { HOP_BY_HOP, namedByConnection } from './hop-by-hop.ts'

export interface Latencies {
  readonly requestId: string
  /** Milliseconds that the gateway took before it turned to the upstream. */
  readonly proxyMs: number
  /** Milliseconds until the upstream's headers were there. */
  readonly upstreamMs: number
}

/** The header fields for the client, as name, value, name, value … (so that Set-Cookie may repeat). */
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
  const named = namedByConnection(connection)
  if (named.length > 0) removeFields(headers, new Set(named))
  if (chunked) removeFields(headers, LENGTH)
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

/** Those of a 101: it has no body, whatever the upstream says of one. */
export function switchingHeaders(raw: readonly (Buffer | string)[], latencies: Latencies): string[] {
  const headers = clientResponseHeaders(raw, latencies)
  removeFields(headers, LENGTH)
  headers.push('connection', 'upgrade', 'upgrade', 'websocket')
  return headers
}

type Role = 'passed' | 'dropped' | 'connection' | 'transfer-encoding' | 'via'

const LENGTH: ReadonlySet<string> = new Set(['content-length'])

/** By the name as it was sent: the same few come with every answer. */
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

function removeFields(headers: string[], dropped: ReadonlySet<string>): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (dropped.has((headers[i] ?? '').toLowerCase())) headers.splice(i, 2)
  }
}

function text(field: Buffer | string | undefined): string {
  return typeof field === 'string' ? field : (field?.toString('latin1') ?? '')
}
