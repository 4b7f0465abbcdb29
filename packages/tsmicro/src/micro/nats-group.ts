import {
  type CallContext,
  type EndpointLimits,
  type Guard,
  guardOf,
  type Handler,
  type Log,
  type Middleware,
} from '../call/index.ts'
import { type BoundProcedure, contract, entriesOf, procedure, proceduresOf } from '../contract/index.ts'
import { createEndpoint, type NatsServer } from '../nats/index.ts'
import { assertProviders } from './access-checks.ts'
import type { Implementation } from './handlers.ts'
import type { Implemented } from './implemented.ts'
import { middlewareOf } from './middleware.ts'
import type { Part } from './module.ts'

export interface NatsDoorOptions extends Pick<Part, 'authentication' | 'authorization'> {
  readonly service: string
  readonly server: NatsServer
  readonly implemented: Implemented
  readonly middleware: readonly Middleware[]
  readonly timeoutMs: number
  /** For endpoints without their own limits. */
  readonly limits?: EndpointLimits | undefined
  readonly log: Log
}

/** Mounts a part at the NATS door. @throws {StartError} if a provider is missing or a subject is taken */
export function mountNats(part: Part, implementations: readonly Implementation[], options: NatsDoorOptions): void {
  const { service, server, implemented } = options
  const mount = (bound: BoundProcedure, handler: Handler, guard?: Guard, limits = options.limits) => {
    const middleware = middlewareOf(bound, options.middleware)
    server.add(createEndpoint({ ...options, middleware, procedure: bound, handler, guard, limits }))
  }
  for (const { contract, handlers, limits } of implementations) {
    for (const [key, bound] of entriesOf(contract)) {
      const handler = handlers[key]
      if (!bound.subject || !handler) continue
      assertProviders(bound, options)
      implemented.add('nats', bound, bound.subject)
      mount(bound, handler, guardOf(bound.access, options.authentication, options.authorization), limits)
    }
  }
  part.mountNats({
    addEndpoint(name, handle) {
      const declared = contract(service, {
        [name]: procedure({ nats: name, access: 'internal', input: {}, output: {} }),
      })
      const handler = ({ input, context }: { input?: unknown; context: CallContext }) => handle(input, context)
      for (const bound of proceduresOf(declared)) {
        implemented.reserve(bound.subject ?? '', `endpoint ${bound.subject}`)
        mount(bound, handler as Handler)
      }
    },
  })
}
