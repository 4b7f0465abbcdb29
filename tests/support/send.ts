import { type Agent, type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The JSON of the answer; `undefined` if it was not JSON. Failures have `code`, `status`, `message`, `error` and `requestId`. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  /** The `data` of the envelope; empty if there was none. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent unchanged, instead of a body. */
  readonly bytes?: string | Uint8Array
  /** Keeps connections for further requests; absent = a new connection. */
  readonly agent?: Agent
  /** The address of this machine to send from. */
  readonly localAddress?: string
}

/**
 * Sends one request on a connection of its own, and the path as it is written: `fetch` would resolve `..` first. Rejects only
 * when no answer came.
 *
 * @example
 * await send(platform.url, 'GET /auth/health')
 */
export function send(baseUrl: string, route: string, sent: Sent = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = requestOf(baseUrl, route, sent)
  outgoing.on('error', reject).on('response', response => {
    const chunks: Buffer[] = []
    const finish = () => {
      const text = Buffer.concat(chunks).toString()
      const body = parsed(text)
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        body,
        data: { ...(body?.data as object) },
      })
    }
    response
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', reject)
      .on('end', finish)
    // A stream may never end; that it has begun is its answer.
    if (response.headers['content-type']?.startsWith('text/event-stream'))
      response.once('data', () => {
        finish()
        response.destroy()
      })
  })
  outgoing.end(bodyOf(sent))
  return promise
}

function bodyOf({ json, bytes }: Sent): string | Uint8Array | undefined {
  return bytes ?? (json === undefined ? undefined : JSON.stringify(json))
}

function requestOf(baseUrl: string, route: string, sent: Sent): ClientRequest {
  const { headers, json, agent, localAddress } = sent
  const [method = '', path = ''] = route.split(' ')
  const { hostname, port } = new URL(baseUrl)
  const body = bodyOf(sent)
  const chunked = Object.keys(headers ?? {}).some(name => name.toLowerCase() === 'transfer-encoding')
  const content = {
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    // Node does not frame the body of a DELETE by itself: what follows the head would be taken for another request.
    ...(body === undefined || chunked ? {} : { 'content-length': Buffer.byteLength(body) }),
  }
  return request({
    hostname,
    port,
    method,
    path,
    agent: agent ?? false,
    headers: { ...content, ...headers } as OutgoingHttpHeaders,
    ...(localAddress && { localAddress }),
  })
}

function parsed(text: string): Answer['body'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
