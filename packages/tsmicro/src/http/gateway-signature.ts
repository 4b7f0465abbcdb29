import { createHmac, timingSafeEqual } from 'node:crypto'

/** Carries the gateway's word that it let the request pass: `v1.<seconds since 1970>.<hex>`. */
export const SIGNATURE_HEADER = 'x-gateway-signature'

/** Seconds that a signature is good for, in both directions: clocks differ. */
const VALID_SECONDS = 30
const FORM = /^v1\.(\d{1,12})\.([0-9a-f]{64})$/

/** The id of the API key that came with a request, as the gateway found it. */
export const CONSUMER_ID = 'x-consumer-id'
/** What that key permits: words, joined by commas. */
export const CONSUMER_PERMISSIONS = 'x-consumer-permissions'

/**
 * What is signed beside time, method and path: who is asking, and for whom. A captured signature is worth nothing with another
 * user's token, another consumer or another address. The body is not signed, because it has not been read yet. The gateway's plugin
 * has the same list (kong/plugins/sign-request/core.ts): it is compiled to Lua and can import nothing.
 */
export const SIGNED_HEADERS = ['x-request-id', 'x-real-ip', CONSUMER_ID, CONSUMER_PERMISSIONS, 'authorization'] as const

/** A request as it reaches the service. */
export interface SignedRequest {
  readonly method: string
  /** Path and query, as in the request line. */
  readonly url: string
  /** As Node reads them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * The value of `x-gateway-signature` for a request, for a gateway of your own: HMAC-SHA-256 over `v1`, time, method, URL and the
 * signed headers (empty where they are not there), joined by line feeds, which none of them can hold.
 *
 * @param seconds since 1970; default now
 * @example
 * headers['x-gateway-signature'] = gatewaySignature(gatewaySecret, { method: 'GET', url: '/list/latest?page=1', headers })
 */
export function gatewaySignature(secret: string, request: SignedRequest, seconds = nowSeconds()): string {
  return `v1.${seconds}.${hmac(secret, request, String(seconds)).toString('hex')}`
}

/** Why a request did not come through the gateway; undefined when it did. */
export function signatureFault(secret: string, request: SignedRequest): string | undefined {
  const value = request.headers[SIGNATURE_HEADER]
  if (value === undefined) return 'it is not signed'
  const [, seconds, hex] = FORM.exec(String(value)) ?? []
  if (seconds === undefined || hex === undefined) return 'its signature is malformed'
  if (Math.abs(nowSeconds() - Number(seconds)) > VALID_SECONDS) return 'its signature is out of time'
  if (!timingSafeEqual(hmac(secret, request, seconds), Buffer.from(hex, 'hex')))
    return 'its signature is of another request'
  return undefined
}

function hmac(secret: string, { method, url, headers }: SignedRequest, seconds: string): Buffer {
  const text = ['v1', seconds, method, url, ...SIGNED_HEADERS.map(name => headers[name] ?? '')].join('\n')
  // Node hands header bytes over as latin1; a gateway in another language signs the same bytes.
  return createHmac('sha256', secret).update(text, 'latin1').digest()
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
