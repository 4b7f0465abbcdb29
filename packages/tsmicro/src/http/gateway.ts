import { hash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Consumer, Log } from '../call/index.ts'
import { GATEWAY_REQUIRED } from '../errors/index.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { compileHmac } from './hmac.ts'

/** Carries the gateway's signature of a request that it let pass: `v1.<seconds since 1970>.<hex>`. */
export const SIGNATURE_HEADER = 'x-gateway-signature'
/** The id of a request's API key, as the gateway found it. */
export const CONSUMER_ID = 'x-consumer-id'
/** What that key permits, separated by commas. */
export const CONSUMER_PERMISSIONS = 'x-consumer-permissions'

/**
 * Signed in addition to time, method and path: who is asking, and for whom. A captured signature is worth nothing with another
 * user's token, another consumer or another address. The body is not signed, because it has not been read yet. The gateway's plugin repeats
 * this list (kong/plugins/sign-request/core.ts), because it is compiled to Lua and cannot import anything.
 */
export const SIGNED_HEADERS = ['x-request-id', 'x-real-ip', CONSUMER_ID, CONSUMER_PERMISSIONS, 'authorization'] as const

/** Headers that gateways, proxies and content delivery networks add; a direct call from within the network has none of them. */
const PROXY_HEADERS = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-original-forwarded-for',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cdn-loop',
  'x-envoy-external-address',
  SIGNATURE_HEADER,
]

/** True if a request came through a gateway, which must not reach `internal` procedures. */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  return PROXY_HEADERS.some(name => headers[name] !== undefined)
}

/** A request as it reaches the service. */
export interface SignedRequest {
  readonly method: string
  /** Path and query, as in the request line. */
  readonly url: string
  /** As Node parses them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Seconds that a signature is valid for, in both directions, because clocks differ. */
const VALID_SECONDS = 30
const FORM = /^v1\.\d{1,12}\.[0-9a-f]{64}$/

/**
 * The value of `x-gateway-signature` for a request, for a gateway of your own: HMAC-SHA-256 over `v1`, time, method, URL and the
 * signed headers (empty if missing), joined by line feeds, which none of them can contain.
 *
 * @param seconds since 1970; default now
 * @example
 * headers['x-gateway-signature'] = gatewaySignature(gatewaySecret, { method: 'GET', url: '/list/latest?page=1', headers })
 */
export function gatewaySignature(secret: string, request: SignedRequest, seconds = nowSeconds()): string {
  return `v1.${seconds}.${compileHmac(secret)(signedText(request, String(seconds)))}`
}

/** Compiles why the signature of a request is not accepted; undefined if it is. */
function compileSignatureFault(secret: string): (request: SignedRequest) => string | undefined {
  const hmac = compileHmac(secret)
  const wanted = Buffer.alloc(64)
  const given = Buffer.alloc(64)
  return request => {
    const value = request.headers[SIGNATURE_HEADER]
    if (value === undefined) return 'it is not signed'
    const text = String(value)
    // Nearly all have the form, which takes longer to look at than the signature to compare.
    const seconds = text.slice(3, -65)
    const hex = text.slice(-64)
    if (text.length < 69 || text !== `v1.${seconds}.${hex}`) return 'its signature is malformed'
    if (!(Math.abs(nowSeconds() - Number(seconds)) <= VALID_SECONDS))
      return FORM.test(text) ? 'its signature is out of time' : 'its signature is malformed'
    wanted.write(hmac(signedText(request, seconds)), 'latin1')
    given.write(hex, 'latin1')
    if (timingSafeEqual(wanted, given)) return undefined
    return FORM.test(text) ? 'its signature is of another request' : 'its signature is malformed'
  }
}

function signedText({ method, url, headers }: SignedRequest, seconds: string): string {
  let text = `v1\n${seconds}\n${method}\n${url}`
  for (const name of SIGNED_HEADERS) text += `\n${headers[name] ?? ''}`
  return text
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/**
 * Secrets that requests must prove before a service handles them.
 *
 * @example
 * const gateway: GatewayDoor = { secret: gatewaySecret }
 * createService({ name: 'hello', version: '1.0.0', module: {}, log, http: { gateway } })
 */
export interface GatewayDoor {
  /** The secret that the gateway signs each request with; 32 bytes or more. */
  readonly secret: string
  /**
   * The secret that requests to `internal` procedures must carry in `x-verify-secret`; 32 bytes or more. Without it they are refused,
   * and a service with such a procedure at its HTTP door does not start.
   */
  readonly verifySecret?: string
  /** False: requests that come directly are handled, too, but their headers are not trusted. Default true. */
  readonly required?: boolean
}

const LEAST_BYTES = 32

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The procedure of this route, e.g. `shop.list`; undefined for a route without a contract. */
    readonly procedure?: string
    /**
     * `open`: accepts every request that reaches the port, such as probes. `internal`: never routed by the gateway, so its requests
     * are not signed. `key`: the gateway must have checked an API key.
     */
    readonly gateway?: 'open' | 'internal' | 'key'
  }
}

/** Says what is wrong with a door's secrets: a short or missing one would let everybody in. */
export function secretFault({ secret, verifySecret }: GatewayDoor): string | undefined {
  for (const [name, value] of Object.entries({ secret, verifySecret }))
    if ((name === 'secret' || value !== undefined) && Buffer.byteLength(value ?? '') < LEAST_BYTES)
      return `the gateway's ${name} has fewer than ${LEAST_BYTES} bytes`
  return undefined
}

/** The application whose API key the gateway has checked; `undefined` if it named none, or somebody else did. */
export function consumerOf(request: FastifyRequest): Consumer | undefined {
  const id = request.headers[CONSUMER_ID]
  if (typeof id !== 'string' || id === '' || !exchangeOf(request).signed) return undefined
  const permissions = String(request.headers[CONSUMER_PERMISSIONS] ?? '')
  return { id, permissions: permissions === '' ? [] : permissions.split(',') }
}

/**
 * Compiles the refusal of each request that did not come through the gateway, with 403 `GATEWAY_REQUIRED`, before its body is read and
 * whether or not there is such a route. Not with 401: no key or token that the caller might add would help, and a gateway that reads 401 as "this API
 * key is invalid" must not receive one because of a wrong `x-verify-secret`.
 *
 * @throws {TypeError} when a secret is too short
 */
export function compileGateway(door: GatewayDoor, log: Log): (exchange: Exchange) => Error | undefined {
  const { secret, verifySecret, required = true } = door
  const short = secretFault(door)
  if (short) throw new TypeError(short)
  const signatureFault = compileSignatureFault(secret)
  return exchange => {
    const fault = faultOf(exchange)
    if (fault === undefined) return undefined
    const { method, id: requestId } = exchange.request
    log.warn({ requestId, method, route: exchange.url }, `refused, not from the gateway: ${fault}`)
    return new GATEWAY_REQUIRED()
  }

  function faultOf(exchange: Exchange): string | undefined {
    const { request } = exchange
    const { raw, headers } = request
    const kind = exchange.config.gateway
    if (kind === 'open') return undefined
    if (kind === 'internal') {
      if (verifySecret === undefined) return required ? 'there is no verifySecret to compare with' : undefined
      const given = String(headers['x-verify-secret'] ?? '')
      return isSame(given, verifySecret) ? undefined : 'x-verify-secret is missing or wrong'
    }
    if (!required && headers[SIGNATURE_HEADER] === undefined) return undefined
    const fault = signatureFault({ method: raw.method ?? '', url: raw.url ?? '', headers })
    if (fault !== undefined) return fault
    exchange.signed = true
    return kind === 'key' && consumerOf(request) === undefined ? 'it has checked no API key' : undefined
  }
}

/** Compares hashes, which have the same length for every input, so that the time it takes reveals nothing. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}

/** True for the address of a proxy that is trusted to name the client it speaks for. */
export type Trusts = (address: string | undefined) => boolean

/**
 * Reads addresses and networks (`10.0.0.7`, `10.0.0.0/8`, `fd00::/8`). An IPv4 address also matches when it is written as IPv6.
 * @throws {TypeError} naming the first value that is neither
 */
export function compileTrusts(proxies: readonly string[]): Trusts {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits, ...more] = proxy.trim().split('/')
    const version = isIP(address)
    const longest = version === 4 ? 32 : 128
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (version === 0 || more.length > 0 || !(prefix <= longest))
      throw new TypeError(`trusted proxy ${JSON.stringify(proxy)}: write an address, or a network like 10.0.0.0/8`)
    list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
  return address => {
    const version = isIP(address ?? '')
    return version !== 0 && list.check(address ?? '', version === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * The address that a request comes from. If the gateway signed the request, its `x-real-ip`; if a declared proxy sent it, that proxy's
 * `x-real-ip`, or the last address in its `x-forwarded-for` that is not a declared proxy's; otherwise the peer of the connection,
 * because anybody can write those headers.
 */
export function clientAddressOf(request: FastifyRequest, trusts: Trusts): string | undefined {
  const peer = request.raw.socket.remoteAddress
  const isSigned = exchangeOf(request).signed
  if (!isSigned && !trusts(peer)) return peer
  const real = request.headers['x-real-ip']
  if (typeof real === 'string' && isIP(real) !== 0) return real
  // Fastify's own address, which follows the same proxies.
  return !isSigned && isIP(request.ip) !== 0 ? request.ip : peer
}
