import type { IncomingMessage } from 'node:http'

/**
 * Every occurrence of a header field; `name` in lower case. Searches the raw fields, since `headersDistinct` would build a
 * table of all of them for each request, and `headers` hides that one was repeated.
 */
export function headerValues(req: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  const raw = req.rawHeaders
  const values: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = raw[i] ?? ''
    if (field.length === name.length && field.toLowerCase() === name) values.push(raw[i + 1] ?? '')
  }
  return values
}
