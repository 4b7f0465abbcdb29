/** The framework's main entry: what a service needs to be written. Stores, auth, config and telemetry have entries of their own. */
export {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type BackgroundOptions,
  type CallContext,
  type CallOf,
  type Consumer,
  currentContext,
  type Handler,
  inBackground,
  type Log,
  type Middleware,
  type MiddlewareCall,
  type Principal,
  type ProcedureCall,
  withSharedContext,
} from './call/index.ts'
export * from './errors/index.ts'
export {
  createPublisher,
  type EventHandler,
  type Publisher,
  type PublishOptions,
  type ReceivedEvent,
} from './events/index.ts'
export {
  createHttpClient,
  type GatewayDoor,
  gatewaySignature,
  type HttpClient,
  type HttpClientOptions,
  type HttpHandlers,
  type Routes,
  type SignedRequest,
} from './http/index.ts'
export {
  Controller,
  createService,
  type Dependency,
  type Health,
  type Module,
  NatsGroup,
  type NatsHandlers,
  type Preparation,
  runService,
  type Service,
  type ServiceOptions,
  StartError,
} from './micro/index.ts'
export { type CallOptions, NatsClient, type NatsClientOptions, requestNats } from './nats/index.ts'
