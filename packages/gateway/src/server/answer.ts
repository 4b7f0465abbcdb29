import type { ServerResponse } from 'node:http'
import { GATEWAY_NAME } from './identity.ts'

/** An answer that the gateway gives itself instead of an upstream. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON text; nothing when it is empty. */
  readonly body: string
}

/** What an answer needs to know of the request it belongs to. */
export interface RequestIdentity {
  /** 32 hexadecimal digits, the gateway's own. */
  readonly id: string
  /** `performance.now()` when the request arrived. */
  readonly startedAt: number
  /** What plugins do to the header fields of the answer: name, value, name, value … */
  respond?: ((headers: string[]) => void) | undefined
}

/** Kong's form of an error: `{"message","request_id"}`. Always JSON, where Kong would also speak HTML or XML if asked to. */
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
