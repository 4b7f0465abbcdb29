import { createHmac } from 'node:crypto'
import type { ForwardedCall } from '../plugin.ts'

const SIGNED_HEADERS = [
  'x-request-id',
  'x-real-ip',
  'x-consumer-id',
  'x-consumer-permissions',
  'authorization',
] as const

/**
 * `v1.<seconds>.<hex>`, as the services check it (packages/tsmicro, src/http/gateway-signature.ts) and
 * kong/plugins/sign-request makes it: HMAC-SHA-256 over version, time, method, path with query, and the signed headers in
 * their order, joined by line feeds. Header values are bytes (latin1), like everything that was not decoded.
 */
export function signatureOf(secret: string, { method, path, query, headers }: ForwardedCall, seconds: number): string {
  const values = SIGNED_HEADERS.map(name => headerOf(headers, name))
  const text = ['v1', seconds, method, path + query, ...values].join('\n')
  return `v1.${seconds}.${createHmac('sha256', secret).update(text, 'latin1').digest('hex')}`
}

/** As the service will read it: several are joined, of `authorization` the first counts. */
function headerOf(headers: readonly string[], name: string): string {
  const values: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (headers[i]?.toLowerCase() === name) values.push(headers[i + 1] ?? '')
  return name === 'authorization' ? (values[0] ?? '') : values.join(', ')
}
