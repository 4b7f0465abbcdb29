import type { IncomingHttpHeaders } from 'node:http'
import { Controller, createService, implement, type Log } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { type Served, serve } from '../serve.ts'
import { SECRET } from './drivers.ts'

/** A request as the upstream saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** Names and values in their order; names in the case as sent. */
  readonly headers: readonly (readonly [string, string])[]
  /** With repeated fields joined by Node. */
  readonly joined: IncomingHttpHeaders
}

export interface Upstream extends Served {
  /** The requests that it saw, by their `x-case`. */
  readonly seen: ReadonlyMap<string, Seen>
}

/** Records every request by its `x-case`, calls `onRequest` with it, and answers 200. */
export async function startUpstream(onRequest: (id: string, seen: Seen) => void = () => {}): Promise<Upstream> {
  const seen = new Map<string, Seen>()
  const served = await serve((req, res) => {
    const { method = '', url = '', rawHeaders } = req
    const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []))
    const id = String(req.headers['x-case'])
    const request = { method, url, headers, joined: req.headers }
    seen.set(id, request)
    onRequest(id, request)
    req.resume().on('end', () => res.writeHead(200, { 'content-length': 2 }).end('ok'))
  })
  return { ...served, seen }
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

export interface SignedOnly extends Served {
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
  const handlers = { read: handler, write: handler, replace: handler, remove: handler, free: handler, verify: handler }
  class ShopController extends Controller {
    override readonly handlers = [implement(shop, handlers)]
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
