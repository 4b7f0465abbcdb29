import type { FastifyInstance } from 'fastify'
import { type Contract, entriesOf, type NatsAccess } from '../contract/index.ts'
import { EventEngine } from '../events/index.ts'
import { compileTrusts, createHttpServer, mountRoute, openApiOf, routeOf } from '../http/index.ts'
import { NatsServer } from '../nats/index.ts'
import { assertInternal, assertProviders, assertSecrets } from './access-checks.ts'
import { addReactions, type Reaction } from './handlers.ts'
import { BUILTIN_ROUTES, type HealthCheck, mountBuiltinRoutes } from './health.ts'
import { Implemented, watchRawRoutes } from './implemented.ts'
import { middlewareOf } from './middleware.ts'
import { partsOf } from './module.ts'
import { assertApart, assertNats, limitClient, natsAccessOf } from './nats-access.ts'
import { mountNats } from './nats-group.ts'
import type { ServiceOptions, TestHooks } from './options.ts'

export interface Doors {
  readonly http: FastifyInstance
  readonly natsServer: NatsServer
  readonly engine: EventEngine
  /** The implemented contracts. */
  readonly contracts: readonly Contract[]
  readonly natsAccess: NatsAccess
}

/** Builds both doors and mounts the module and its controllers. @throws {StartError} if something is missing or exists twice */
export function mountDoors(options: ServiceOptions, health: HealthCheck, hooks?: TestHooks): Doors {
  const { name, version, description, license, module, log, handlerTimeoutMs: timeoutMs = 10_000 } = options
  const about = { version, ...(description ? { description } : {}) }
  assertSecrets(options)
  const http = createHttpServer({ realm: name, ...options.http, limits: options.limits, log })
  hooks?.onServer?.(http)
  const natsServer = new NatsServer({ name, ...about, inboxPrefixes: options.inboxPrefixes ?? [], log })
  const engine = new EventEngine({
    service: name,
    log,
    pace: { timeoutMs, ...hooks?.pace },
    dependenciesWork: async () =>
      Object.values((await health.read()).dependencies).every(({ status }) => status === 'up'),
    onTaken: hooks?.onTaken,
  })
  const implemented = new Implemented(name)
  const trusts = compileTrusts(options.http?.trustedProxies ?? [])
  for (const route of BUILTIN_ROUTES) implemented.reserve(route, 'the framework')
  const mount = watchRawRoutes(http, implemented)
  const contracts = new Set<Contract>()
  const reactions: Reaction[] = []
  for (const part of partsOf(module)) {
    const implementations = part.handlers.filter(each => each.kind === 'implementation')
    reactions.push(...part.handlers.filter(each => each.kind === 'reaction'))
    for (const { contract } of implementations) contracts.add(contract)
    const { authentication, authorization } = hooks?.providersOf(part) ?? part
    const shared = { authentication, authorization, middleware: module.middleware ?? [], timeoutMs, log }
    mount(part.label, () => {
      for (const { contract, handlers, limits = options.limits } of implementations) {
        for (const [key, procedure] of entriesOf(contract)) {
          const handler = handlers[key]
          if (!procedure.http || !handler) continue
          const route = routeOf(procedure, part.basePath)
          assertProviders(procedure, shared)
          implemented.add('http', procedure, route)
          const middleware = middlewareOf(procedure, shared.middleware)
          const { sendTimeoutMs, temporaryFolder } = options.http ?? {}
          mountRoute(procedure, route, handler, {
            ...shared,
            middleware,
            server: http,
            trusts,
            limits,
            sendTimeoutMs,
            temporaryFolder,
          })
        }
      }
      part.mountRoutes({ fastify: http })
    })
    if (module.nats)
      mountNats(part, implementations, {
        ...shared,
        service: name,
        server: natsServer,
        implemented,
        limits: options.limits,
      })
  }
  assertNats(module, contracts, reactions)
  addReactions(engine, reactions, module.inboxes ?? [])
  const known = [...contracts]
  const natsAccess = natsAccessOf(options, known, reactions)
  limitClient(natsAccess, module)
  assertApart(natsAccess, implemented)
  assertInternal(options, known)
  const { publicPath } = options.http ?? {}
  const info = {
    title: name,
    ...about,
    ...(license ? { license } : {}),
    ...(publicPath ? { serverUrl: publicPath } : {}),
  }
  mountBuiltinRoutes(http, health, () => openApiOf(info, known, procedure => implemented.routeOf(procedure)))
  return { http, natsServer, engine, contracts: known, natsAccess }
}
