import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Consumer, Log } from '../call/index.ts'
import { GATEWAY_REQUIRED } from '../errors/index.ts'
import { signatureFault } from './gateway-signature.ts'

/** What requests have to prove before a service looks at them. */
export interface GatewayDoor {
  /** What the gateway signs each request with; 32 bytes or more. */
  readonly secret: string
  /** What must come with requests to `internal` procedures, in `x-verify-secret`; 32 bytes or more. Absent: nothing. */
  readonly verifySecret?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `open`: for whoever reaches the port, such as probes. `internal`: never routed, so nobody signs it. */
    readonly gateway?: 'open' | 'internal'
  }
}

/** Requests whose signature was checked, and found to be the gateway's. */
const signed = new WeakSet<FastifyRequest>()

/** Whose API key it was, as the gateway says; `undefined` when it said nothing, or somebody else did. */
export function consumerOf(request: FastifyRequest): Consumer | undefined {
  const id = request.headers['x-consumer-id']
  if (typeof id !== 'string' || id === '' || !signed.has(request)) return undefined
  const permissions = String(request.headers['x-consumer-permissions'] ?? '')
  return { id, permissions: permissions === '' ? [] : permissions.split(',') }
}

/**
 * Refuses with 403 `GATEWAY_REQUIRED`, before the body is read and whether or not there is such a route, whatever did not
 * come through the gateway. Not 401: no key or token that the caller might add would help, and a gateway that reads 401 as
 * "this API key is bad" must not be told so by a wrong `x-verify-secret`.
 */
export function admitGatewayOnly(server: FastifyInstance, { secret, verifySecret }: GatewayDoor, log: Log): void {
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
    if (kind !== 'internal') {
      const fault = signatureFault(secret, { method: raw.method ?? '', url: raw.url ?? '', headers })
      if (fault === undefined) signed.add(request)
      return fault
    }
    if (verifySecret === undefined || isSame(String(headers['x-verify-secret'] ?? ''), verifySecret)) return undefined
    return 'x-verify-secret is missing or wrong'
  }
}

/** By their hashes, which are of one length whatever was sent: the time it takes tells nothing. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}
