import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { GatewayOptions } from '../src/index.ts'
import { configOf, echo, gatewayFor, textOf, upstream } from './support.ts'

export const GOOD = 'good-key-1234567890'

/** Whose key the good one is. */
export const CONSUMER = 'consumer-1'
export const YES = yes('READ', 'WRITE')

/** What the verifier says of a good key with these permissions. */
export function yes(...permissions: string[]): string {
  return JSON.stringify({ valid: true, id: CONSUMER, permissions })
}

/** What the verifier was asked, and its answer. */
export type VerifierHandler = (key: string, res: ServerResponse, req: IncomingMessage) => void

/** The auth service's rule: one key is good. */
export const honest: VerifierHandler = (key, res) => {
  res.setHeader('content-type', 'application/json').end(key === GOOD ? YES : '{"valid":false}')
}

export interface ApikeySetup {
  readonly verifier?: VerifierHandler
  readonly config?: object
  readonly options?: Partial<GatewayOptions>
  readonly service?: RequestListener
}

/** A verifier, a service behind the check on `/api`, an open one on `/public`, and a gateway in front of them. */
export async function protectedGateway({
  verifier = honest,
  config = {},
  options = {},
  service = echo,
}: ApikeySetup = {}) {
  const asked: string[] = []
  const reached: string[] = []
  const auth = await upstream((req, res) => {
    void textOf(req).then(text => {
      const { key } = JSON.parse(text) as { key: string }
      asked.push(key)
      verifier(key, res, req)
    })
  })
  const backend = await upstream((req, res) => {
    reached.push(`${req.method} ${req.url}`)
    service(req, res)
  })
  const plugin = {
    name: 'apikey-auth',
    config: { verify_urls: ['http://auth:8001/verify/apikey'], timeout_ms: 10_000, ...config },
  }
  const gateway = await gatewayFor(
    configOf([
      { name: 'api', url: 'http://api:8002', routes: [{ paths: ['/api'] }], plugins: [plugin] },
      { name: 'open', url: 'http://api:8002', routes: [{ paths: ['/public'] }] },
    ]),
    { resolve: { 'auth:8001': auth.authority, 'api:8002': backend.authority }, ...options },
  )
  const dispose = async () => {
    await gateway.close()
    await auth[Symbol.asyncDispose]()
    await backend[Symbol.asyncDispose]()
  }
  return { gateway, auth, port: gateway.port, asked, reached, [Symbol.asyncDispose]: dispose }
}
