import { new as hmacOf } from 'resty.openssl.hmac'
import { to_hex } from 'resty.string'
import { removeNamedFields } from '../shared/connection.ts'
import { isGatewayHeader } from '../shared/identity.ts'
import { HIDDEN_HEADERS, SHORTEST_SECRET, SIGNATURE_HEADER, signatureOf, textToSign } from './core.ts'

export { PRIORITY } from './core.ts'
export const VERSION = '0.1.0'

interface Config {
  /** Absent or empty, for example if a reference leads nowhere: requests are not signed, and services refuse them in production. */
  readonly secret: string | undefined
}

/**
 * Kong's rewrite phase, which runs before any plugin that identifies the caller. A client's own claims must not be signed, not even
 * on a route without such a plugin. Requests with more fields than are examined are refused below.
 */
export function rewrite(this: unknown): void {
  const [headers] = ngx.req.get_headers(1000)
  for (const [name] of headers) if (isGatewayHeader(name)) ngx.req.clear_header(name)
}

export function access(this: unknown, { secret }: Config): void {
  for (const name of HIDDEN_HEADERS) ngx.req.clear_header(name)
  if (secret === undefined || secret === ngx.null || secret === '') return
  if (secret.length < SHORTEST_SECRET) {
    kong.log.err('sign-request: the secret has to be 32 bytes or more')
    kong.response.exit(500, { message: 'An unexpected error occurred' })
    return
  }
  let [headers, truncated] = ngx.req.get_headers(1000)
  if (truncated !== undefined) {
    kong.response.exit(431, { message: 'Too many header fields' })
    return
  }
  const valuesOf = (name: string): string[] => {
    // nginx sets this header later, to the same value.
    const value = name === 'x-real-ip' ? ngx.var.remote_addr : headers.get(name)
    if (value === undefined) return []
    return typeof value === 'string' ? [value] : value
  }
  if (removeNamedFields(valuesOf('connection'))) [headers] = ngx.req.get_headers(1000)
  const seconds = `${ngx.time()}`
  const text = textToSign(seconds, { method: ngx.req.get_method(), target: pathAndQuery(), valuesOf })
  ngx.req.set_header(SIGNATURE_HEADER, signatureOf(seconds, to_hex(hmac(secret, text))))
}

function pathAndQuery(): string {
  const { args, request_uri, upstream_uri } = ngx.var
  if (args !== undefined && args !== '') return `${upstream_uri}?${args}`
  // Kong keeps a trailing question mark.
  return request_uri.endsWith('?') ? `${upstream_uri}?` : upstream_uri
}

function hmac(secret: string, text: string): string {
  const [made, fault] = hmacOf(secret, 'sha256')
  if (made === undefined) throw fault
  const [bytes, failure] = made.final(text)
  if (bytes === undefined) throw failure
  return bytes
}
