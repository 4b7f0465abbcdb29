import type { AddressInfo } from 'node:net'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Log } from '../call/index.ts'
import type { Contract } from '../contract/index.ts'
import { EventConsumer } from '../events/index.ts'
import { createHttpServer, type HttpServerOptions, Routes } from '../http/index.ts'
import { NatsServer } from '../nats/index.ts'
import { mountBuiltinRoutes } from './builtin-routes.ts'
import { connectWithRetry } from './connect.ts'
import type { Dependency } from './dependency.ts'
import { type Health, HealthCheck } from './health.ts'
import { Implemented } from './implemented.ts'
import type { Module } from './module.ts'
import { NatsGroup } from './nats-group.ts'
import { StartError } from './start-error.ts'

export interface ServiceOptions {
  /** One word, the first token of its subjects, e.g. `blog`. */
  readonly name: string
  /** Semantic version, shown by `$SRV.INFO` and OpenAPI. */
  readonly version: string
  readonly description?: string
  /** Everything the service promises; start is refused while a procedure in them has no handler. */
  readonly contracts: readonly Contract[]
  readonly module: Module
  readonly log: Log
  readonly http?: Omit<HttpServerOptions, 'log'> & {
    /** Default 127.0.0.1: nothing is open to the network unless somebody says so. */
    readonly host?: string
    /** Default 0: any free port. */
    readonly port?: number
    /** Where clients reach the service behind the gateway, for OpenAPI, e.g. `/blog`. */
    readonly publicPath?: string
  }
  /** Milliseconds a handler may take unless its procedure says otherwise. Default 10,000. */
  readonly handlerTimeoutMs?: number
  /** Milliseconds to wait for each dependency at start. Default 60,000. */
  readonly startTimeoutMs?: number
  /** Milliseconds that requests in progress get to finish when stopping. Default 10,000. */
  readonly drainTimeoutMs?: number
}

/** A running service: two doors, its dependencies, its health. */
export interface Service {
  /**
   * Connects everything in order, prepares, then opens the doors.
   * @throws {StartError} when a procedure has no handler, a dependency does not come, or the port is taken
   */
  start(): Promise<void>
  /** Drains both doors, then closes the dependencies in reverse. Safe to call twice, and during start. */
  stop(): Promise<void>
  health(): Promise<Health>
  /** Sends a request through the whole HTTP door without a socket. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>
  /** `http://host:port` after start. */
  readonly url: string
}

/**
 * Assembles a service from its contracts and module. Handlers are mounted at once, so a missing one is known before
 * anything is connected.
 *
 * @throws {StartError} when a procedure has no handler
 */
export function createService(options: ServiceOptions): Service {
  const { module, log } = options
  const dependencies: readonly Dependency[] = module.nats ? [...module.dependencies, module.nats] : module.dependencies
  const health = new HealthCheck(dependencies)
  const doors = mountDoors(options, health)
  const stopping = new AbortController()
  const connected: Dependency[] = []
  let url = ''
  let stopped: Promise<void> | undefined

  async function start(): Promise<void> {
    for (const dependency of dependencies) {
      connected.push(dependency)
      await connectWithRetry(dependency, options.startTimeoutMs ?? 60_000, log, stopping.signal)
    }
    for (const { name, run } of module.prepare ?? []) {
      stopping.signal.throwIfAborted()
      await run()
      log.info({ step: name }, `${name} done`)
    }
    stopping.signal.throwIfAborted()
    if (module.nats) {
      await doors.natsServer.start(module.nats.use())
      await doors.consumer.start(module.nats.use())
    }
    url = await listen(doors.http, options)
    health.state = 'ready'
    log.info({ url }, `${options.name} is ready`)
  }

  async function stop(): Promise<void> {
    health.state = 'draining'
    stopping.abort(new StartError('the service was stopped while it started'))
    const drained = [
      doors.http.close(),
      ...(module.nats?.connected ? [doors.natsServer.drain(), doors.consumer.drain()] : []),
    ]
    if (!(await settledWithin(options.drainTimeoutMs ?? 10_000, drained)))
      log.warn({}, 'gave up waiting for requests in progress')
    for (const dependency of connected.reverse()) {
      await dependency
        .close()
        .catch(err => log.warn({ err, dependency: dependency.name }, 'a dependency could not be closed'))
    }
    log.info({}, `${options.name} has stopped`)
  }

  return {
    start,
    stop() {
      stopped ??= stop()
      return stopped
    },
    health: () => health.read(),
    inject: async request => doors.http.inject(request),
    get url() {
      return url
    },
  }
}

function mountDoors(options: ServiceOptions, health: HealthCheck) {
  const { name, version, description, contracts, module, log, handlerTimeoutMs: timeoutMs = 10_000 } = options
  const about = { version, ...(description ? { description } : {}) }
  const http = createHttpServer({ ...options.http, log })
  const natsServer = new NatsServer({ name, ...about, log })
  const consumer = new EventConsumer({ service: name, log })
  const implemented = new Implemented()
  for (const controller of module.controllers) {
    const { authentication, authorization, basePath } = controller
    const shared = { authentication, authorization, middleware: module.middleware ?? [], timeoutMs, log }
    controller.mountRoutes(
      new Routes({ ...shared, server: http, basePath, onImplemented: procedure => implemented.add('http', procedure) }),
    )
    if (!module.nats) continue
    controller.mountNats(
      new NatsGroup({
        ...shared,
        service: name,
        server: natsServer,
        consumer,
        onImplemented: procedure => implemented.add('nats', procedure),
      }),
    )
  }
  implemented.verify(contracts)
  const { publicPath } = options.http ?? {}
  mountBuiltinRoutes(
    http,
    health,
    { title: name, ...about, ...(publicPath ? { serverUrl: publicPath } : {}) },
    contracts,
  )
  return { http, natsServer, consumer }
}

async function listen(server: FastifyInstance, { name, http = {} }: ServiceOptions): Promise<string> {
  const { host = '127.0.0.1', port = 0 } = http
  try {
    await server.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new StartError(`${name} cannot listen on ${host}:${port}: the port is taken, choose another with PORT`, {
      cause,
    })
  }
  return `http://${host}:${(server.server.address() as AddressInfo).port}`
}

async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([Promise.allSettled(work).then(() => true), limit]).finally(() => clearTimeout(timer))
}
