import { randomFillSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** An answer that the gateway gives itself, instead of an upstream. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON; empty for an answer without a body. */
  readonly body: string
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

/** Kong's form of an error: `{"message","request_id"}`. Always JSON; Kong would also answer in HTML or XML if asked to. */
export function kongError(
  status: number,
  message: string,
  requestId: string,
  headers?: Record<string, string>,
): Answer {
  const body = JSON.stringify({ message, request_id: requestId })
  return headers === undefined ? { status, body } : { status, body, headers }
}

export function answerHeaders(answer: Answer, request: RequestIdentity): Record<string, string | number> {
  return {
    ...(answer.body !== '' && { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(answer.body),
    server: GATEWAY_NAME,
    'x-kong-request-id': request.id,
    'x-kong-response-latency': Math.round(performance.now() - request.startedAt),
    ...answer.headers,
  }
}

export function sendAnswer(res: ServerResponse, answer: Answer, request: RequestIdentity): void {
  // A client that waits for 100 Continue and gets this instead may or may not send its body: only a new connection is safe.
  if (res.req.headers.expect !== undefined && !res.req.complete) res.shouldKeepAlive = false
  const headers = answerHeaders(answer, request)
  if (request.respond === undefined) res.writeHead(answer.status, headers)
  else {
    const fields = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
    request.respond(fields)
    res.writeHead(answer.status, fields)
  }
  res.end(answer.body)
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
