import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The JSON that came; `undefined` when it was none. Failures have `code`, `status`, `message`, `error` and `requestId`. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  /** The `data` of the envelope; empty when there was none. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
}

/**
 * Sends one request on a connection of its own, and the path as it is written: `fetch` would resolve `..` first. Rejects only
 * when no answer came.
 *
 * @example
 * await send(platform.url, 'GET /auth/health')
 */
export function send(baseUrl: string, route: string, { headers, json }: Sent = {}): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ')
  const { hostname, port } = new URL(baseUrl)
  const body = json === undefined ? undefined : JSON.stringify(json)
  const content = body === undefined ? {} : { 'content-type': 'application/json' }
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request({ hostname, port, method, path, agent: false, headers: { ...content, ...headers } })
  sent.on('error', reject).on('response', response => {
    const chunks: Buffer[] = []
    response
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', reject)
      .on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const body = parsed(text)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body,
          data: { ...(body?.data as object) },
        })
      })
  })
  sent.end(body)
  return promise
}

function parsed(text: string): Answer['body'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
