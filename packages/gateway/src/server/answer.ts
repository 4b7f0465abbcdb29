import { randomFillSync } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { formatFor, nginxFormatFor } from './error-format.ts'

/** An answer that the gateway gives itself, instead of an upstream. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, empty for an answer without a body, or an error in a form that the client accepts. */
  readonly body: string | KongError
}

interface KongError {
  readonly message: string
  /** Whether it comes from the nginx in Kong, which prefers plain text. */
  readonly byNginx: boolean
}

/** What an answer has to know about its request. */
export interface RequestIdentity {
  /** 32 hexadecimal digits, the gateway's own. */
  readonly id: string
  /** `performance.now()` when the request arrived. */
  readonly startedAt: number
  /** Lets plugins change the header fields of the answer: name, value, name, value … */
  respond?: ((headers: string[]) => void) | undefined
}

/** An error of Kong: in JSON `{"message","request_id"}`. */
export function kongError(status: number, message: string, headers?: Readonly<Record<string, string>>): Answer {
  const body = { message, byNginx: false }
  return headers === undefined ? { status, body } : { status, body, headers }
}

/** An error of the nginx in Kong, about HTTP itself, or about the connection to an upstream. */
export function nginxError(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: { message, byNginx: true }, headers }
}

interface Written {
  readonly headers: Record<string, string | number>
  readonly body: string
}

/** `sent`: the header fields of the request, as far as they are known. */
export function writeAnswer(answer: Answer, request: RequestIdentity, sent: IncomingHttpHeaders): Written {
  const { body, type } = bodyOf(answer.body, request.id, sent)
  const proxied = answer.headers !== undefined && 'x-kong-proxy-latency' in answer.headers
  const headers = {
    ...(body !== '' && { 'content-type': type }),
    'content-length': Buffer.byteLength(body),
    server: GATEWAY_NAME,
    'x-kong-request-id': request.id,
    ...(!proxied && { 'x-kong-response-latency': Math.round(performance.now() - request.startedAt) }),
    ...answer.headers,
  }
  return { headers, body }
}

function bodyOf(body: Answer['body'], id: string, sent: IncomingHttpHeaders) {
  if (typeof body === 'string') return { body, type: 'application/json; charset=utf-8' }
  const format = body.byNginx ? nginxFormatFor(sent.accept, sent['content-type']) : formatFor(sent.accept)
  return { body: format.write(body.message, id), type: format.type }
}

export function sendAnswer(res: ServerResponse, answer: Answer, request: RequestIdentity): void {
  // A client that waits for 100 Continue and gets this instead may or may not send its body: only a new connection is safe.
  if (res.req.headers.expect !== undefined && !res.req.complete) res.shouldKeepAlive = false
  const { headers, body } = writeAnswer(answer, request, res.req.headers)
  if (request.respond === undefined) res.writeHead(answer.status, headers)
  else {
    const fields = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
    request.respond(fields)
    res.writeHead(answer.status, fields)
  }
  res.end(body)
}

/** What this gateway calls itself in Server and Via, where Kong says `kong/3.9.1`. A substitute must be recognizable. */
export const GATEWAY_NAME = 'tsmicro-gateway/0.1.0'
export const VIA = `1.1 ${GATEWAY_NAME}`

const ID_BYTES = 16
const pool = Buffer.allocUnsafe(256 * ID_BYTES)
let used = pool.length

/** 32 hexadecimal digits, as in Kong's X-Kong-Request-Id. Random bytes are fetched in bulk: 0.1 µs per id instead of randomUUID's 0.7. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('hex', used - ID_BYTES, used)
}
