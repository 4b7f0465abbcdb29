/** An answer of the HTTP door. */
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect answers of every shape, including wrong ones
  readonly body: any
}

interface Sent {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Send = (route: string, sent?: Sent) => Promise<Answer>

/** `send('PUT /author', { token, body })`; the base URL is looked up again every time. */
export function sender(baseUrl: () => string): Send {
  return async (route, { token, body, headers = {} } = {}) => {
    const [method = 'GET', path = '/'] = route.split(' ', 2)
    const response = await fetch(baseUrl() + path, {
      method,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
}
