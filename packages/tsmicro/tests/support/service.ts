import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  createService,
  type Dependency,
  type Middleware,
  type Module,
  NatsClient,
  type NatsGroup,
  type Routes,
  type Service,
  type ServiceOptions,
} from 'tsmicro'
import type { Contract } from 'tsmicro/contract'
import type { Network } from '../conformance/network/network.ts'
import { RecordedLog } from './log.ts'
import { authentication, authorization } from './providers.ts'

export interface TestServiceOptions extends Partial<Omit<ServiceOptions, 'module' | 'log'>> {
  readonly handlers?: Module['handlers']
  readonly calls?: readonly Contract[]
  readonly publishes?: readonly Contract[]
  readonly inboxes?: NonNullable<Module['inboxes']>
  readonly routes?: (routes: Routes) => void
  readonly endpoints?: (nats: NatsGroup) => void
  readonly basePath?: string
  readonly natsUrl?: string
  /** Instead of the server at a URL. */
  readonly network?: Network
  readonly nats?: NatsClient
  readonly middleware?: readonly Middleware[]
  readonly dependencies?: readonly Dependency[]
  readonly prepare?: NonNullable<Module['prepare']>
  readonly authentication?: AuthenticationProvider
  readonly authorization?: AuthorizationProvider
}

export interface TestService extends AsyncDisposable {
  readonly service: Service
  readonly log: RecordedLog
  readonly nats: NatsClient
}

/** A service out of callbacks, not yet started. */
export function build(options: TestServiceOptions): TestService {
  const {
    routes,
    endpoints,
    basePath = '/',
    natsUrl,
    network,
    middleware,
    dependencies = [],
    prepare,
    handlers = [],
    calls = [],
    publishes = [],
    inboxes = [],
  } = options
  /** With a base path, handlers belong to the controller; otherwise to the module. */
  const isOwn = basePath === '/'
  class TestController extends Controller {
    override readonly handlers = isOwn ? [] : handlers
    override mountRoutes(mounted: Routes) {
      routes?.(mounted)
    }
    override mountNats(group: NatsGroup) {
      endpoints?.(group)
    }
  }
  const log = new RecordedLog()
  const name = options.name ?? 'shop'
  const nats =
    options.nats ??
    network?.client(name, { log }) ??
    new NatsClient({ url: natsUrl ?? 'nats://127.0.0.1:1', name, log, reconnectWaitMs: 20 })
  const providers = {
    authentication: options.authentication ?? authentication,
    authorization: options.authorization ?? authorization,
  }
  const controller = new TestController(basePath, providers.authentication, providers.authorization)
  const service = createService({
    ...options,
    name,
    version: options.version ?? '1.2.3',
    log,
    module: {
      ...providers,
      handlers: isOwn ? handlers : [],
      controllers: [controller],
      calls,
      publishes,
      inboxes,
      dependencies,
      ...(natsUrl || network || options.nats ? { nats } : {}),
      ...(middleware ? { middleware } : {}),
      ...(prepare ? { prepare } : {}),
    },
  })
  return { service, log, nats, [Symbol.asyncDispose]: () => service.stop() }
}

/** The same, started. */
export async function serve(options: TestServiceOptions): Promise<TestService> {
  const made = build(options)
  await made.service.start()
  return made
}
