import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Controller, createService, implement, type Log } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { SECRET } from './drivers.ts'

/** A request as the upstream saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** Names and values in their order; names in the case as sent. */
  readonly headers: readonly (readonly [string, string])[]
}

export interface Upstream extends AsyncDisposable {
  readonly authority: string
  /** The requests that it saw, by their `x-case`. */
  readonly seen: ReadonlyMap<string, Seen>
}

/** Records every request by its `x-case`, calls `onRequest` with it, and answers 200. */
export async function startUpstream(onRequest: (id: string, seen: Seen) => void = () => {}): Promise<Upstream> {
  const seen = new Map<string, Seen>()
  const server = createServer((req, res) => {
    const { method = '', url = '', rawHeaders } = req
    const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []))
    const id = String(req.headers['x-case'])
    const request = { method, url, headers }
    seen.set(id, request)
    onRequest(id, request)
    req.resume().on('end', () => res.writeHead(200, { 'content-length': 2 }).end('ok'))
  })
  server.maxHeadersCount = 0
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections()
    },
  }
}

export const VERIFY_SECRET = 'what-the-gateway-shows-for-questions'

/** Every method on one path, and a procedure that only other services may call. */
const shop = contract('shop', {
  read: procedure({ http: 'GET /echo', access: 'key', input: Type.Any(), output: Type.Any() }),
  write: procedure({ http: 'POST /echo', access: 'key', input: Type.Any(), output: Type.Any() }),
  replace: procedure({ http: 'PUT /echo', access: 'key', input: Type.Any(), output: Type.Any() }),
  remove: procedure({ http: 'DELETE /echo', access: 'key', output: Type.Any() }),
  free: procedure({ http: 'GET /free', access: 'open', output: Type.Any() }),
  verify: procedure({ http: 'POST /verify', access: 'internal', input: Type.Any(), output: Type.Any() }),
})

const silence: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silence }

export interface SignedOnly extends AsyncDisposable {
  readonly authority: string
  readonly port: number
  /** How many times a handler has run. */
  readonly handled: () => number
}

/** Starts a service below `/private` that only accepts requests that the gateway has signed. */
export async function startSignedOnly(): Promise<SignedOnly> {
  let handled = 0
  const handler = () => {
    handled += 1
    return 'handled'
  }
  class ShopController extends Controller {
    override readonly handlers = [
      implement(shop, {
        read: handler,
        write: handler,
        replace: handler,
        remove: handler,
        free: handler,
        verify: handler,
      }),
    ]
  }
  const service = createService({
    name: 'shop',
    version: '1.0.0',
    log: silence,
    http: { gateway: { secret: SECRET, verifySecret: VERIFY_SECRET } },
    module: { controllers: [new ShopController('/private')] },
  })
  await service.start()
  const { host, port } = new URL(service.url)
  return { authority: host, port: Number(port), handled: () => handled, [Symbol.asyncDispose]: () => service.stop() }
}
