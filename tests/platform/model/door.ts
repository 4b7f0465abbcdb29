import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'

export interface Reply {
  readonly status: number
  /** Sent along, and returned in failures. */
  readonly requestId: string
  /** The whole envelope; `undefined` if it was not JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined
}

export interface Request {
  /** Method and path below the door's address: `PUT /author/submit/id/0…`. */
  readonly route: string
  readonly token?: string | undefined
  /** Sent as JSON. */
  readonly json?: unknown
}

/** An address of a service, with persistent connections, so that thousands of requests are cheap. */
export class Door implements Disposable {
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #agent = new Agent({ keepAlive: true })

  /** @param url such as `http://127.0.0.1:8000/blog` */
  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = new URL(url)
    this.#headers = headers
  }

  /** Rejects only if no answer came. */
  send({ route, token, json }: Request): Promise<Reply> {
    const [method = '', path = ''] = route.split(' ')
    const { hostname, port, pathname } = this.#url
    const requestId = randomUUID()
    const body = json === undefined ? undefined : JSON.stringify(json)
    const headers = {
      ...this.#headers,
      'x-request-id': requestId,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const target = { hostname, port, method, path: pathname.replace(/\/$/, '') + path, headers, agent: this.#agent }
    const sent = request(target, response => {
      const chunks: Buffer[] = []
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('error', reject)
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, requestId, body: parsed(Buffer.concat(chunks).toString()) }),
        )
    })
    sent.on('error', reject).end(body)
    return promise
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

function parsed(text: string): Reply['body'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
