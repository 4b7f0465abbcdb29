import type { IncomingMessage } from 'node:http'

/** Thousands of routes. More would stand in everybody's way while it is read, whatever it is. */
const MAX_BYTES = 1024 * 1024

/** The config in a request's body: the YAML itself or, as Kong takes it too, JSON `{"config": "<YAML>"}`. Undefined when it is too long. */
export async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (!req.headers['content-type']?.startsWith('application/json')) return text
  try {
    const body: unknown = JSON.parse(text)
    const wrapped = typeof body === 'object' && body !== null && 'config' in body ? body.config : undefined
    return typeof wrapped === 'string' ? wrapped : text
  } catch {
    // JSON is YAML: what is wrong with it will be said with its line.
    return text
  }
}
