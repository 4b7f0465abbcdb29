import { randomBytes, randomUUID } from 'node:crypto'
import type { Log } from '../../call/index.ts'
import {
  type Contract,
  type DeepReadonly,
  type EventDefinition,
  type EventInputOf,
  type EventSpec,
  eventsOf,
  type NatsPermissions,
  natsPermissionsOf,
  proceduresOf,
} from '../../contract/index.ts'
import {
  createPublisher,
  createStreams,
  type Pace,
  type PublishOptions,
  type ReceivedEvent,
  streamsOf,
} from '../../events/index.ts'
import {
  assemble,
  type Implementation,
  type Module,
  type Service,
  type ServiceOptions,
  type TestHooks,
} from '../../micro/index.ts'
import { NatsClient } from '../../nats/index.ts'
import { createLoopback, type Loopback, type LoopbackClientOptions } from '../loopback/loopback.ts'
import { Backlog } from './backlog.ts'
import { closeOnAbort, createCaller, type TestCaller } from './caller.ts'
import { HandledEvents, PublishedEvents, stopped, TEST } from './events.ts'
import { createFakes, Users } from './fakes.ts'
import { type LogLine, RecordedLog } from './recorded-log.ts'

/** What a module gets in a test. The test adds whatever else it needs: `parts => createModule({ ...parts, mongo })`. */
export interface TestParts {
  readonly nats: NatsClient
  readonly log: Log
}

export interface TestServiceOptions extends Partial<Omit<ServiceOptions, 'module' | 'log'>> {
  /**
   * Stand-ins for the services that it calls, by their contracts. A single procedure is a contract, too:
   * `implement({ validateRole: validation.validateRole }, { … })`.
   */
  readonly fakes?: readonly Implementation[]
  /** Where its log also goes, beside `app.log`, e.g. `createLogger({ name: 'hello' })`. Default: nowhere. */
  readonly log?: Log
  /** Options of the NATS client that the module gets, e.g. its middleware. */
  readonly nats?: LoopbackClientOptions
  /**
   * What the service may do on NATS. Default: what its module declares, as in production, so that a contract that is missing from
   * `calls` or `publishes` is found.
   */
  readonly permissions?: Omit<NatsPermissions, 'user'>
  /** Milliseconds to wait for each dependency. Default 10,000. */
  readonly startTimeoutMs?: number
}

/** A service under test: see {@link testService}. After `close()`, all calls fail with SERVICE_UNAVAILABLE; its log and events remain. */
export interface TestApp extends TestCaller, AsyncDisposable {
  readonly service: Service
  /** What the service and its fakes have logged, the oldest first. */
  readonly log: { readonly lines: readonly LogLine[] }
  /** Its NATS server: `app.loopback.disconnect()` takes it away. */
  readonly loopback: Loopback
  /**
   * Publishes an event to it, as another service would; resolves when the service has handled it. With the same `id` it is delivered again.
   * @throws what a handler threw at its last try, or at once if what it depends on does not work; {TypeError} when the service does not
   * handle it; {SERVICE_UNAVAILABLE} without a connection, and when the service stops before
   */
  publish<E extends EventSpec>(
    event: EventDefinition<E>,
    data: DeepReadonly<EventInputOf<E>>,
    options?: PublishOptions,
  ): Promise<void>
  /** The events that it has published so far. @throws {TypeError} when it does not publish this one */
  events<E extends EventSpec>(event: EventDefinition<E>): readonly ReceivedEvent<E>[]
  /**
   * The first event that it has published, on the next call the second, and so on. Waits if there is none yet.
   * @throws {Error} when none comes within `timeoutMs`, 10,000 by default; {SERVICE_UNAVAILABLE} when the service has stopped
   */
  nextEvent<E extends EventSpec>(
    event: EventDefinition<E>,
    options?: { readonly timeoutMs?: number },
  ): Promise<ReceivedEvent<E>>
  /** Resolves when it has sent what its outboxes keep, and handled all events, its own included. @throws what a handler threw */
  settled(): Promise<void>
  /** Stops the service; the end of `await using` does the same. Calls in progress are finished first. */
  close(): Promise<void>
}

const EVERYTHING = { publish: ['>'], subscribe: ['>'] }
const START_TIMEOUT_MS = 10_000
const NEXT_EVENT_MS = 10_000
/** Tries are as many as in production, but without pauses; and what never comes is waited for as long as tests have patience. */
const PACE: Partial<Pace> = { pauseMs: 1, gapMs: 5000 }

/**
 * Starts a service in a test, as in production and with both doors, but silent and without a server or a port. It stops at the end
 * of the block.
 *
 * @example
 * const greetings = contract('hello', {
 *   greet: procedure({
 *     http: 'GET /greet/:name', nats: 'greet', access: 'user',
 *     input: Type.Object({ name: Type.String() }), output: Type.Object({ text: Type.String() }),
 *   }),
 * })
 * const createModule = ({ nats }: { nats: NatsClient }): Module => ({
 *   nats,
 *   handlers: [implement(greetings, { greet: ({ input, user }) => ({ text: `${user.id} greets ${input.name}` }) })],
 *   authentication,
 * })
 * await using app: TestApp = await testService(createModule)
 * const ada = app.as({ id: 'ada' })
 * await ada.http(greetings).greet({ name: 'Grace' }) // { text: 'ada greets Grace' }
 * await ada.nats(greetings).greet({ name: 'Grace' }) // { text: 'ada greets Grace' }
 * @throws {StartError} when the service does not start
 * @throws {TypeError} when its name is neither given nor clear from what it implements, or its module has another NATS client
 */
export async function testService(
  createModule: (parts: TestParts) => Module | Promise<Module>,
  options: TestServiceOptions = {},
): Promise<TestApp> {
  const { fakes = [], log: to, nats: natsOptions, permissions, ...given } = options
  const log = new RecordedLog(to)
  const users: NatsPermissions[] = []
  const loopback = createLoopback({ permissions: users })
  let name = given.name ?? ''
  const nats = new NatsClient({
    log,
    ...natsOptions,
    connect: loopback.connect,
    // Known once there is a module, before the client connects.
    get name() {
      return name || 'service'
    },
  })
  const module = await createModule({ nats, log })
  if (module.nats && module.nats !== nats)
    throw new TypeError(
      'the module has a NATS client of its own: let createModule take the one that it is given, `nats`',
    )
  name ||= serviceNameOf(module)

  const known = new Users()
  const handled = new HandledEvents()
  const hooks: TestHooks = { providersOf: known.providersOf, onTaken: handled.take, pace: PACE, onServer: closeOnAbort }
  const gateway = given.http?.gateway ?? { secret: randomBytes(32).toString('hex'), required: false }
  const service = assemble(
    {
      startTimeoutMs: START_TIMEOUT_MS,
      version: '0.0.0',
      ...given,
      http: { ...given.http, gateway },
      name,
      module,
      log,
    },
    hooks,
  )
  const access = service.natsAccess
  const { serves, consumes = [], handles = {} } = access
  const heard = [...consumes, ...Object.values(handles).flat()]
  const others = createFakes({ fakes, tested: name, loopback, users: known, log })
  users.push({ ...(permissions ?? natsPermissionsOf(service.natsAccess)), user: name })
  for (const user of [TEST, ...others.names]) users.push({ ...EVERYTHING, user })

  const client = new Republisher({ log, connect: loopback.connect, name: TEST })
  const backlog = new Backlog({ access, outboxes: module.outboxes ?? [], nats: client })
  const published = new PublishedEvents(name, serves, log)
  let closing = false
  const assertRunning = () => {
    if (closing) throw stopped(name, 'this call came after app.close()')
  }
  const close = async () => {
    closing = true
    published.close()
    handled.close(stopped(name, 'it no longer handles events'))
    await service.stop()
    await others.stop()
    await client.close()
  }
  try {
    await client.connect()
    // Those of other services, too: their sources are not there.
    await createStreams(client, streamsOf({ ...access, serves: [...serves, ...heard] }), new RecordedLog())
    published.start(client.use())
    await others.start()
    await service.start()
  } catch (error) {
    await close()
    throw error
  }

  const publisher = createPublisher(client, TEST)
  return {
    ...createCaller({
      service,
      client,
      log,
      users: known,
      gateway,
      basePathOf: contract => basePathOf(module, contract),
      assertRunning,
    }),
    service,
    log,
    loopback,
    async publish(event, data, options = {}) {
      assertRunning()
      const { subject } = event
      if (!heard.flatMap(eventsOf).some(each => each.subject === subject))
        throw new TypeError(`${name} does not handle ${subject}: its handlers have no on() for it`)
      const id = options.id ?? randomUUID()
      await handled.handling(id, backlog.namesFor(event), () => publisher.publish(event, data, { ...options, id }))
    },
    events: event => published.all(event),
    nextEvent: async (event, { timeoutMs = NEXT_EVENT_MS } = {}) => published.next(event, timeoutMs),
    async settled() {
      assertRunning()
      // Events whose publication was not awaited are still on their way.
      await client.use().flush()
      await handled.settled(backlog)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Publishes an event a second time if its test does so: its stream does not know it. */
class Republisher extends NatsClient {
  override exchange(...[subject, payload, options]: Parameters<NatsClient['exchange']>) {
    if (options.headers?.has('Nats-Msg-Id')) options.headers.set('Nats-Msg-Id', randomUUID())
    return super.exchange(subject, payload, options)
  }
}

/** The contracts that the handlers of a module and of its controllers implement. */
function contractsOf({ handlers = [], controllers = [] }: Module): readonly Contract[] {
  return [handlers, ...controllers.map(controller => controller.handlers)]
    .flat()
    .flatMap(each => (each.kind === 'implementation' ? [each.contract] : []))
}

/** The name of a service, from what it implements. @throws {TypeError} when that is not clear */
function serviceNameOf(module: Module): string {
  const procedures = contractsOf(module).flatMap(proceduresOf)
  // Over NATS, a service serves only procedures of its own name; over HTTP, any.
  const served = procedures.filter(({ subject }) => subject !== undefined)
  const [name, ...others] = new Set((served.length > 0 ? served : procedures).map(({ service }) => service))
  if (name !== undefined && others.length === 0) return name
  if (name === undefined && (module.controllers ?? []).length === 0) return 'service'
  const why =
    name === undefined ? 'its handlers implement no contract' : `it implements ${[name, ...others].join(', ')}`
  throw new TypeError(`what is the service called? ${why}: testService(createModule, { name })`)
}

/** The base path of a contract: its controller's. */
function basePathOf({ controllers = [] }: Module, contract: Contract): string {
  const procedures = new Set(proceduresOf(contract))
  const found = controllers.find(({ handlers }) =>
    handlers.some(
      each => each.kind === 'implementation' && proceduresOf(each.contract).some(each => procedures.has(each)),
    ),
  )
  return found?.basePath ?? '/'
}
