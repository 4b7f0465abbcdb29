import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { GatewayOptions } from '../src/index.ts'
import { configOf, echo, gatewayFor, textOf, upstream } from './support.ts'

export const GOOD = 'good-key-1234567890'

/** The owner of the valid key. */
export const CONSUMER = 'consumer-1'
export const YES = yes('READ', 'WRITE')

/** The verifier's answer for a valid key with these permissions. */
export function yes(...permissions: string[]): string {
  return JSON.stringify({ valid: true, id: CONSUMER, permissions })
}

/** The key that the verifier is asked about, and its answer. */
export type VerifierHandler = (key: string, res: ServerResponse, req: IncomingMessage) => void

/** Answers like the auth service: one key is valid. */
export const honest: VerifierHandler = (key, res) => {
  res.setHeader('content-type', 'application/json').end(key === GOOD ? YES : '{"valid":false}')
}

export interface ApikeySetup {
  readonly verifier?: VerifierHandler
  readonly config?: object
  readonly options?: Partial<GatewayOptions>
  readonly service?: RequestListener
}

/** A gateway in front of a verifier and of a service that needs a key on `/api` and is open on `/public`. */
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
