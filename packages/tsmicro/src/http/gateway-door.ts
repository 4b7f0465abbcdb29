import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Consumer, Log } from '../call/index.ts'
import { GATEWAY_REQUIRED } from '../errors/index.ts'
import { CONSUMER_ID, CONSUMER_PERMISSIONS, SIGNATURE_HEADER, signatureFault } from './gateway-signature.ts'

/**
 * What requests have to prove before a service looks at them.
 *
 * @example
 * const gateway: GatewayDoor = { secret: gatewaySecret }
 * createService({ name: 'hello', version: '1.0.0', module: {}, log, http: { gateway } })
 */
export interface GatewayDoor {
  /** What the gateway signs each request with; 32 bytes or more. */
  readonly secret: string
  /**
   * What must come with requests to `internal` procedures, in `x-verify-secret`; 32 bytes or more. Without it they are refused,
   * and a service that has one at its HTTP door does not start.
   */
  readonly verifySecret?: string
  /** False: who comes directly is heard, too, and only believed less. Default true. */
  readonly required?: boolean
}

const LEAST_BYTES = 32

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whose route it is, e.g. `shop.list`; a route without a contract has none. */
    readonly procedure?: string
    /** `open`: for whoever reaches the port, such as probes. `internal`: never routed, so nobody signs it. */
    /** `key`: an API key must have been checked. */
    readonly gateway?: 'open' | 'internal' | 'key'
  }
}

/** Requests whose signature was checked, and found to be the gateway's. */
const signed = new WeakSet<FastifyRequest>()

/** True when the gateway says what stands in the headers that it signs. */
export function isSigned(request: FastifyRequest): boolean {
  return signed.has(request)
}

/** What is wrong with a door's secrets: a short one, or none, would let everybody in. */
export function secretFault({ secret, verifySecret }: GatewayDoor): string | undefined {
  for (const [name, value] of Object.entries({ secret, verifySecret }))
    if ((name === 'secret' || value !== undefined) && Buffer.byteLength(value ?? '') < LEAST_BYTES)
      return `the gateway's ${name} has less than ${LEAST_BYTES} bytes`
  return undefined
}

/** Whose API key it was, as the gateway says; `undefined` when it said nothing, or somebody else did. */
export function consumerOf(request: FastifyRequest): Consumer | undefined {
  const id = request.headers[CONSUMER_ID]
  if (typeof id !== 'string' || id === '' || !signed.has(request)) return undefined
  const permissions = String(request.headers[CONSUMER_PERMISSIONS] ?? '')
  return { id, permissions: permissions === '' ? [] : permissions.split(',') }
}

/**
 * Refuses with 403 `GATEWAY_REQUIRED`, before the body is read and whether or not there is such a route, whatever did not
 * come through the gateway. Not 401: no key or token that the caller might add would help, and a gateway that reads 401 as
 * "this API key is bad" must not be told so by a wrong `x-verify-secret`.
 *
 * @throws {TypeError} when a secret is too short
 */
export function admitGatewayOnly(server: FastifyInstance, door: GatewayDoor, log: Log): void {
  const { secret, verifySecret, required = true } = door
  const short = secretFault(door)
  if (short) throw new TypeError(short)
  server.addHook('onRequest', (request, _reply, done) => {
    const fault = faultOf(request)
    if (fault === undefined) return done()
    const { method, id: requestId, routeOptions } = request
    log.warn({ requestId, method, route: routeOptions.url }, `refused, not from the gateway: ${fault}`)
    done(new GATEWAY_REQUIRED())
  })

  function faultOf(request: FastifyRequest): string | undefined {
    const { routeOptions, raw, headers } = request
    const kind = routeOptions.config?.gateway
    if (kind === 'open') return undefined
    if (kind === 'internal') {
      if (verifySecret === undefined) return required ? 'there is no verifySecret to compare with' : undefined
      const given = String(headers['x-verify-secret'] ?? '')
      return isSame(given, verifySecret) ? undefined : 'x-verify-secret is missing or wrong'
    }
    if (!required && headers[SIGNATURE_HEADER] === undefined) return undefined
    const fault = signatureFault(secret, { method: raw.method ?? '', url: raw.url ?? '', headers })
    if (fault !== undefined) return fault
    signed.add(request)
    return kind === 'key' && consumerOf(request) === undefined ? 'it has checked no API key' : undefined
  }
}

/** By their hashes, which are of one length whatever was sent: the time it takes tells nothing. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}
