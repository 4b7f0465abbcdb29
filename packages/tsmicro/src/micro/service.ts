import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { backgroundDone, cancelBackground } from '../call/index.ts'
import type { NatsAccess } from '../contract/index.ts'
import { rootMessage, SERVICE_UNAVAILABLE, settledWithin } from '../errors/index.ts'
import { OperationsDoor, type StreamConfig, streamsOf } from '../events/index.ts'
import { endConnections } from '../http/index.ts'
import { openToNetwork } from './access-checks.ts'
import { mountDoors } from './doors.ts'
import { type Health, HealthCheck } from './health.ts'
import type { Dependency } from './module.ts'
import { NatsDoor } from './nats-access.ts'
import type { ServiceOptions, TestHooks } from './options.ts'
import { Outboxes } from './outboxes.ts'
import { connectWithRetry, listen, prepare } from './start.ts'
import { StartError } from './start-error.ts'

/** A running service: two doors, its dependencies, its health. */
export interface Service {
  /**
   * Connects everything in order, runs the preparations, then opens the doors. If that fails, everything is closed again. A
   * stopped service cannot be started again.
   * @throws {StartError} if a dependency cannot be reached, a preparation fails, NATS does not permit what the service does, or
   * the port is taken
   */
  start(): Promise<void>
  /**
   * Drains both doors, then closes the dependencies in reverse. Safe to call twice, and during the start. Plugins end their
   * streams in Fastify's `preClose`; connections that are still open after `drainTimeoutMs` are ended. Takes at most eight
   * seconds more than that, even if something hangs; the log says what it gave up on.
   */
  stop(): Promise<void>
  health(): Promise<Health>
  /** Sends a request through the whole HTTP door without a socket. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>
  /** `http://host:port` after start. */
  readonly url: string
  /**
   * What the service does on NATS, known before it starts. `natsPermissionsOf(service.natsAccess)` gives the permissions that
   * its user needs. The service does not start if the server allows less.
   */
  readonly natsAccess: NatsAccess
  /** The streams of its events, which it creates when it starts, if it may: see `createStreams`. */
  readonly streams: readonly StreamConfig[]
}

/** For all dependencies together, so that a stop ends within the drain time and this, even if servers are gone. */
const CLOSE_MS = 8000
const LEAST_CLOSE_MS = 100
/** The part of it for the `onClose` hooks of plugins whose connections had to be ended. */
const PLUGINS_CLOSE_MS = 1000
/** Handlers of events end before the drain time, which is also for what they have left to acknowledge. */
const EVENTS_EARLIER_MS = 200

const STOPPED = 'the service was stopped while it started'
const UNGUARDED =
  'anybody who reaches this address may call procedures that are only for the gateway and other services: set http.gateway, or close the port to others'

/**
 * Assembles a service from its module. Everything is mounted at once, so that missing and contradicting parts are found before
 * anything is connected.
 *
 * @throws {StartError} if a procedure has no handler or two, an address has two owners, or a procedure that needs a user has no
 * provider
 * @example
 * const greetings = contract('hello', { greet: procedure({ http: 'GET /greet', access: 'open', output: Type.String() }) })
 * const module: Module = { handlers: [implement(greetings, { greet: () => 'Hello' })] }
 * const options: ServiceOptions = { name: 'hello', version: '1.0.0', module, log, http: { port: 0 } }
 * const service = createService(options)
 * await service.start()
 * const { status }: Health = await service.health()
 * await createHttpClient(greetings, { baseUrl: service.url }).greet() // 'Hello'
 * await service.stop()
 */
export function createService(options: ServiceOptions): Service {
  return assemble(options)
}

/** {@link createService}, with more options for tests. */
export function assemble(options: ServiceOptions, hooks?: TestHooks): Service {
  const { module, log, startTimeoutMs = 60_000, drainTimeoutMs = 10_000 } = options
  const dependencies: readonly Dependency[] = [...(module.nats ? [module.nats] : []), ...(module.dependencies ?? [])]
  const health = new HealthCheck(dependencies, {
    hearsNats: () => nats?.hears ?? true,
    events: () => doors.engine.status,
    outboxes: () => outboxes.depth(),
  })
  const doors = mountDoors(options, health, hooks)
  const nats = module.nats && new NatsDoor(module.nats, doors)
  const streams = nats?.streams(log)
  const outboxes = new Outboxes(options, doors.natsAccess)
  const operations = new OperationsDoor({
    access: doors.natsAccess,
    engine: doors.engine,
    outboxes: () => outboxes.depth(),
    announces: module.announces ?? {},
    inboxPrefixes: options.inboxPrefixes ?? [],
    log,
  })
  const stopping = new AbortController()
  const connected: Dependency[] = []
  let url = ''
  let started: Promise<void> | undefined
  let stopped: Promise<void> | undefined
  /** Ends `start()` once everything is closed, even if a preparation hangs. */
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})

  async function start(): Promise<void> {
    for (const dependency of dependencies) {
      stopping.signal.throwIfAborted()
      connected.push(dependency)
      await connectWithRetry(dependency, startTimeoutMs, log, stopping.signal)
    }
    await nats?.verify()
    if (streams) await connectWithRetry(streams, startTimeoutMs, log, stopping.signal)
    const inboxes = (module.inboxes ?? []).map(inbox => ({
      name: `inbox in ${inbox.effect}`,
      run: () => inbox.prepare(),
    }))
    await prepare([...inboxes, ...outboxes.preparations, ...(module.prepare ?? [])], log, stopping.signal)
    streams?.start()
    outboxes.start()
    // HTTP first, because it may fail: an instance that cannot listen must not take messages from the others.
    url = await listen(doors.http, options, hooks)
    const open = openToNetwork(options, doors.contracts)
    if (open.length > 0) log.warn({ procedures: open }, UNGUARDED)
    await nats?.open()
    if (module.nats && service.streams.length > 0) operations.start(module.nats)
    stopping.signal.throwIfAborted()
    health.state = 'ready'
    log.info({ url }, `${options.name} is ready`)
  }

  async function stop(): Promise<void> {
    health.state = 'draining'
    stopping.abort(new StartError(STOPPED))
    // Also wait for a dependency that is being connected: closed too early, it would stay open.
    await settledWithin(drainTimeoutMs, started)
    const closed = doors.http
      .close()
      .catch(err => log.warn({ err }, `a plugin could not be closed: ${rootMessage(err)}`))
    const eventsEndAt = performance.now() + drainTimeoutMs - Math.min(EVENTS_EARLIER_MS, drainTimeoutMs / 4)
    const requests = Promise.allSettled([
      closed,
      doors.natsServer.drain(),
      operations.drain(drainTimeoutMs / 2).then(() => doors.engine.stop(eventsEndAt - performance.now())),
    ])
    // Requests in progress may begin work in the background.
    const drained = await settledWithin(
      drainTimeoutMs,
      requests.then(() => backgroundDone(log)).then(() => outboxes.drain(drainTimeoutMs)),
    )
    const endsAt = performance.now() + CLOSE_MS
    if (!drained) {
      const connections = endConnections(doors.http)
      log.warn({ connections }, 'gave up waiting for requests in progress')
      cancelBackground(log, new Error('the service has stopped'))
      // Plugins are closed once all connections are gone.
      if (!(await settledWithin(PLUGINS_CLOSE_MS, closed))) log.warn({}, 'gave up waiting for plugins to close')
    }
    for (const dependency of connected.reverse()) {
      // Wrapped, so that a dependency that throws instead of rejecting does not keep the others open.
      const ended = (async () => dependency.close())().catch(err =>
        log.warn({ dependency: dependency.name }, `a dependency could not be closed: ${rootMessage(err)}`),
      )
      if (!(await settledWithin(Math.max(endsAt - performance.now(), LEAST_CLOSE_MS), ended)))
        log.warn({ dependency: dependency.name }, 'gave up waiting for a dependency to close')
    }
    log.info({}, `${options.name} has stopped`)
  }

  const service: Service = {
    async start() {
      if (started && stopped) throw new StartError(`${options.name} was stopped: create a new one to start it again`)
      started ??= start()
      try {
        await Promise.race([started, ended.promise])
      } catch (error) {
        await service.stop()
        throw error
      }
    },
    stop() {
      stopped ??= stop().finally(() => ended.reject(new StartError(STOPPED)))
      return stopped
    },
    health: () => health.read(),
    async inject(request) {
      // Fastify's own error would be about a server that is opened again.
      if (stopped) throw new SERVICE_UNAVAILABLE(undefined, { message: `${options.name} has stopped` })
      return doors.http.inject(request)
    },
    get url() {
      return url
    },
    natsAccess: doors.natsAccess,
    streams: streamsOf(doors.natsAccess),
  }
  return service
}
