import { Controller, createService, implement, type Log } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { SECRET } from './stage.ts'

export const VERIFY_SECRET = 'what-the-gateway-shows-for-questions'

/** Every method on one path, and a question that is asked of the service itself. */
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
  /** How often a handler has run. */
  readonly handled: () => number
}

/** A service that takes only what the gateway has signed, below `/private`. */
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
