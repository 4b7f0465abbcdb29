import assert from 'node:assert/strict'

/** The envelope of an answer, or the members of a bare answer. */
interface Body<Data> {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly data: Data
  readonly error?: string
  readonly requestId?: string
  readonly details?: readonly { readonly path: string; readonly message: string }[]
}

export interface Answer<Data = unknown> {
  readonly status: number
  readonly body: Body<Data>
  readonly text: string
  readonly headers: Headers
}

export interface Sent {
  readonly body?: unknown
  /** Sent unchanged, instead of `body`. */
  readonly raw?: string | Buffer
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** `send(auth.url, 'PUT /profile/mine', { token, body })` */
export async function send<Data = unknown>(url: string, route: string, sent: Sent = {}): Promise<Answer<Data>> {
  const [method = '', path = ''] = route.split(' ')
  const body = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
      ...sent.headers,
    },
    ...(body === undefined ? {} : { body: body as string }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (text ? JSON.parse(text) : {}) as Body<Data>,
  }
}

/** A failure consists of exactly its envelope, has the same status twice, and reveals nothing internal. */
export function assertFailure(answer: Answer, status: number, error: string): void {
  assert.equal(answer.status, status, answer.text)
  const { code, message, requestId, details: _, ...rest } = answer.body
  assert.deepEqual(rest, { status, error }, answer.text)
  assert.equal(code, '10001')
  assert.equal(typeof message, 'string')
  assert.equal(requestId, answer.headers.get('x-request-id'))
  assert.doesNotMatch(answer.text, /stack|node_modules|select |insert |sqlstate|kysely|constraint/i)
}

/** A request that does not match the schema gets an error with the path. */
export function assertInvalid(answer: Answer, path: string): void {
  assertFailure(answer, 400, 'VALIDATION_FAILED')
  assert.ok(
    answer.body.details?.some(detail => detail.path === path),
    `no detail about ${path}: ${answer.text}`,
  )
}

/** A success consists of exactly its envelope. */
export function assertSuccess(answer: Answer, message: string, data?: unknown): void {
  const wanted = { code: '10000', status: 200, message, ...(data === undefined ? {} : { data }) }
  assert.deepEqual(answer.body, wanted)
  assert.equal(answer.status, 200)
}
