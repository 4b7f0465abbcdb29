import type { IncomingMessage } from 'node:http'
import { type Answer, kongError } from '../server/answer.ts'
import { MAX_HEADER_FIELDS, MAX_URL_LENGTH } from '../server/limits.ts'
import type { RequestTarget } from '../server/request-target.ts'

/** Requests that are valid HTTP and yet not for a proxy to pass on. */
export function refuseUnsupported(req: IncomingMessage, requestId: string): Answer | undefined {
  const { headers, method, url = '', httpVersion } = req
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return closing(505, 'HTTP version not supported', requestId)
  if (url.length > MAX_URL_LENGTH) return closing(414, 'URI too long', requestId)
  if (req.rawHeaders.length > 2 * MAX_HEADER_FIELDS)
    return closing(494, 'Request header or cookie too large', requestId)
  if (method === 'TRACE') return kongError(405, 'Method not allowed', requestId)
  const encoding = headers['transfer-encoding']
  if (encoding !== undefined) {
    // Content-Length beside it is how requests are smuggled past a proxy; another coding would have to be decoded here.
    const ambiguous = headers['content-length'] !== undefined || httpVersion === '1.0'
    if (ambiguous) return closing(400, 'Bad request', requestId)
    if (encoding.toLowerCase() !== 'chunked')
      return closing(501, 'Only the chunked transfer encoding is supported', requestId)
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return kongError(417, 'Expectation failed', requestId)
  }
  return undefined
}

/** The answer of a route that is for https only: 426, or the way to the same place over https. */
export function demandHttps(status: number, { host, rawPath, query }: RequestTarget, requestId: string): Answer {
  if (status !== 426) return { status, headers: { location: `https://${host}${rawPath}${query}` }, body: '' }
  const upgrade = { connection: 'Upgrade', upgrade: 'TLS/1.2, HTTP/1.1' }
  return kongError(426, 'Please use HTTPS protocol', requestId, upgrade)
}

/** An answer after which the connection is not used again: what follows it may not be what it seems. */
export function closing(status: number, message: string, requestId: string): Answer {
  return kongError(status, message, requestId, { connection: 'close' })
}
