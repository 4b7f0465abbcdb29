import { randomBytes, randomUUID } from 'node:crypto'
import type { Log } from '../../call/index.ts'
import {
  type DeepReadonly,
  type EventDefinition,
  type EventInputOf,
  type EventSpec,
  eventsOf,
  type NatsPermissions,
  natsPermissionsOf,
} from '../../contract/index.ts'
import { createPublisher, type PublishOptions, type ReceivedEvent } from '../../events/index.ts'
import {
  assemble,
  type Bench,
  type Implementation,
  type Module,
  type Service,
  type ServiceOptions,
} from '../../micro/index.ts'
import { NatsClient } from '../../nats/index.ts'
import { createLoopback, type Loopback, type LoopbackClientOptions } from '../loopback/loopback.ts'
import { createCaller, type TestCaller } from './caller.ts'
import { createFakes } from './fakes.ts'
import { HandledEvents } from './handled.ts'
import { PublishedEvents, TEST } from './published.ts'
import { type LogLine, RecordedLog } from './recorded-log.ts'
import { basePathOf, serviceNameOf } from './service-name.ts'
import { Users } from './users.ts'

/** What a module is made of in a test; what else it needs comes from the test: `parts => createModule({ ...parts, mongo })`. */
export interface TestParts {
  readonly nats: NatsClient
  readonly log: Log
}

export interface TestServiceOptions extends Partial<Omit<ServiceOptions, 'module' | 'log'>> {
  /**
   * Other services that it calls, by their contracts. One procedure of many is a contract, too:
   * `implement({ validateRole: validation.validateRole }, { … })`.
   */
  readonly fakes?: readonly Implementation[]
  /** Where its log goes beside `app.log`, e.g. `createLogger({ name: 'hello' })`. Default: nowhere. */
  readonly log?: Log
  /** Of the NATS client that the module gets, e.g. its middleware. */
  readonly nats?: LoopbackClientOptions
  /**
   * What the service may do on NATS. Default: what its module says that it does, as in production, so that a contract that is missing
   * from `calls` or `publishes` is found.
   */
  readonly permissions?: Omit<NatsPermissions, 'user'>
  /** Milliseconds to wait for each dependency. Default 10,000. */
  readonly startTimeoutMs?: number
}

/** A service on the bench: see {@link testService}. */
export interface TestApp extends TestCaller, AsyncDisposable {
  readonly service: Service
  /** What it and its fakes have logged, the oldest first. */
  readonly log: { readonly lines: readonly LogLine[] }
  /** Its NATS: `app.loopback.disconnect()` takes it away. */
  readonly loopback: Loopback
  /**
   * Announces an event to it, as another service would; resolves when it has been handled.
   * @throws what a handler threw; {TypeError} when the service does not handle it
   */
  publish<E extends EventSpec>(
    event: EventDefinition<E>,
    data: DeepReadonly<EventInputOf<E>>,
    options?: PublishOptions,
  ): Promise<void>
  /** What it has announced so far. @throws {TypeError} when it never announces that */
  events<E extends EventSpec>(event: EventDefinition<E>): readonly ReceivedEvent<E>[]
  /**
   * The first that it has announced, then the second, and so on: waits for one that is still to come.
   * @throws {Error} when none comes within `timeoutMs`, 10,000 by default
   */
  nextEvent<E extends EventSpec>(
    event: EventDefinition<E>,
    options?: { readonly timeoutMs?: number },
  ): Promise<ReceivedEvent<E>>
  /** Resolves when it has handled all events that were announced, its own included. @throws what a handler threw */
  settled(): Promise<void>
  /** What the end of `await using` does. */
  close(): Promise<void>
}

const EVERYTHING = { publish: ['>'], subscribe: ['>'] }
const START_TIMEOUT_MS = 10_000
const NEXT_EVENT_MS = 10_000

/**
 * A service in a test: started as in production, with both doors, but without a server or a port, and silent. It stops at the end of
 * the block.
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
 * @throws {TypeError} when its name is not known from what it implements and not given, or its module has another NATS client
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
    // Known once there is a module, which is when it connects.
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
  const bench: Bench = { port: 'none', providersOf: known.providersOf, onTaken: handled.take }
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
    bench,
  )
  const { serves, consumes = [] } = service.natsAccess
  const others = createFakes({ fakes, tested: name, loopback, users: known, log })
  users.push({ ...(permissions ?? natsPermissionsOf(service.natsAccess)), user: name })
  for (const user of [TEST, ...others.names]) users.push({ ...EVERYTHING, user })

  const client = loopback.client(TEST, { log })
  const published = new PublishedEvents(name, serves, log)
  const close = async () => {
    published.close()
    await service.stop()
    await others.stop()
    await client.close()
  }
  try {
    await client.connect()
    published.start(client.use())
    await others.start()
    await service.start()
  } catch (error) {
    await close()
    throw error
  }

  const publisher = createPublisher(client, TEST)
  const basePath = (contract: Parameters<typeof basePathOf>[1]) => basePathOf(module, contract)
  return {
    ...createCaller({ service, client, log, users: known, gateway, basePathOf: basePath }),
    service,
    log,
    loopback,
    async publish(event, data, options = {}) {
      const { subject } = event
      if (!consumes.flatMap(eventsOf).some(each => each.subject === subject))
        throw new TypeError(`${name} does not handle ${subject}: its handlers have no on() for it`)
      const id = options.id ?? randomUUID()
      await handled.handling(id, () => publisher.publish(event, data, { ...options, id }))
    },
    events: event => published.all(event),
    nextEvent: async (event, { timeoutMs = NEXT_EVENT_MS } = {}) => published.next(event, timeoutMs),
    async settled() {
      // What was announced without being waited for is on its way.
      await client.use().flush()
      await handled.settled()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
