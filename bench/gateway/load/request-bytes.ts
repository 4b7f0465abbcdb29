export interface RequestParts {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A whole request as it travels, made once and sent many times. */
export function requestBytes({ method, path, headers, body }: RequestParts): Buffer {
  const fields: Record<string, string> = {
    host: 'bench',
    accept: 'application/json',
    'user-agent': 'bench',
    ...headers,
  }
  if (body !== undefined) {
    fields['content-type'] = 'application/json'
    fields['content-length'] = String(Buffer.byteLength(body))
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
}
