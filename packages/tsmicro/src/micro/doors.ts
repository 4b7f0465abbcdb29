import type { FastifyInstance } from 'fastify'
import { eventsOf } from '../contract/index.ts'
import { EventConsumer } from '../events/index.ts'
import { createHttpServer, openApiOf, Routes } from '../http/index.ts'
import { NatsServer } from '../nats/index.ts'
import { BUILTIN_ROUTES, mountBuiltinRoutes } from './builtin-routes.ts'
import { assertGatewayDoor, assertProviders } from './guarded.ts'
import type { HealthCheck } from './health.ts'
import { Implemented } from './implemented.ts'
import { NatsGroup } from './nats-group.ts'
import { type NatsUse, verifyAccess } from './nats-permissions.ts'
import type { ServiceOptions } from './options.ts'
import { watchRawRoutes } from './raw-routes.ts'

export interface Doors {
  readonly http: FastifyInstance
  readonly natsServer: NatsServer
  readonly consumer: EventConsumer
  /** What is done at the NATS door. */
  readonly natsUse: NatsUse
}

/** Builds both doors and lets every controller mount its procedures. @throws {StartError} when one is missing or twice there */
export function mountDoors(options: ServiceOptions, health: HealthCheck): Doors {
  const { name, version, description, contracts, module, log, handlerTimeoutMs: timeoutMs = 10_000 } = options
  const about = { version, ...(description ? { description } : {}) }
  assertGatewayDoor(options)
  const http = createHttpServer({ realm: name, ...options.http, limits: options.limits, log })
  const { inboxPrefixes = [], natsAccess: access } = options
  const natsServer = new NatsServer({ name, ...about, inboxPrefixes, log })
  const consumer = new EventConsumer({ service: name, log, timeoutMs })
  const implemented = new Implemented()
  for (const route of BUILTIN_ROUTES) implemented.reserve(route, 'the framework')
  const mount = watchRawRoutes(http, implemented)
  for (const controller of module.controllers) {
    const { authentication, authorization, basePath } = controller
    const shared = { authentication, authorization, middleware: module.middleware ?? [], timeoutMs, log }
    mount(controller, () => {
      const routes = new Routes({
        ...shared,
        trustedProxies: options.http?.trustedProxies,
        limits: options.limits,
        server: http,
        basePath,
        onImplemented(procedure, route) {
          assertProviders(procedure, controller)
          implemented.add('http', procedure, route)
        },
      })
      controller.mountRoutes(routes)
    })
    if (!module.nats) continue
    controller.mountNats(
      new NatsGroup({
        ...shared,
        service: name,
        server: natsServer,
        consumer,
        limits: options.limits,
        onImplemented(procedure) {
          assertProviders(procedure, controller)
          implemented.add('nats', procedure, procedure.subject ?? '')
        },
        onEndpoint: ({ subject = '' }) => implemented.reserve(subject, `endpoint ${subject}`),
      }),
    )
  }
  // An event on a subject of requests would be taken for one, and its stream would answer theirs.
  const events = [...contracts.flatMap(eventsOf), ...consumer.events].map(({ subject }) => subject)
  for (const subject of new Set(events)) implemented.reserve(subject, `event ${subject}`)
  implemented.verify(contracts, module.nats !== undefined)
  const natsUse = { service: name, endpoints: natsServer.endpoints, events: consumer.events, access }
  verifyAccess(natsUse)
  const { publicPath } = options.http ?? {}
  const info = { title: name, ...about, ...(publicPath ? { serverUrl: publicPath } : {}) }
  mountBuiltinRoutes(
    http,
    health,
    openApiOf(info, contracts, procedure => implemented.addressOf('http', procedure)),
  )
  return { http, natsServer, consumer, natsUse }
}
