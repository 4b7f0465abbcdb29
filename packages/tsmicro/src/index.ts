/** The framework's main entry: what a service needs to be written. Stores, auth, config and telemetry have entries of their own. */
export {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type CallContext,
  currentContext,
  type Handler,
  idempotencyKey,
  inBackground,
  type Log,
  type Middleware,
  type Principal,
  type ProcedureCall,
  reply,
  withSharedContext,
} from './call/index.ts'
export { cacheSubjectOf } from './contract/index.ts'
export {
  DEADLINE_EXCEEDED,
  FORBIDDEN,
  isDependencyFailure,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  SERVICE_UNAVAILABLE,
  TOO_MANY_REQUESTS,
  UNAUTHENTICATED,
  UnusableError,
  VALIDATION_FAILED,
  within,
} from './errors/index.ts'
export {
  createOutbox,
  createPublisher,
  createStreams,
  type Outbox,
  type Publisher,
  type ReceivedEvent,
} from './events/index.ts'
export type { GatewayDoor, Routes } from './http/index.ts'
export {
  Controller,
  createService,
  type Dependency,
  type Handlers,
  type Health,
  type Implementation,
  implement,
  type Module,
  type NatsGroup,
  on,
  type Reaction,
  runService,
  type Service,
  type ServiceOptions,
  StartError,
} from './micro/index.ts'
export { type Broadcast, createNatsBroadcast, NatsClient } from './nats/index.ts'
export { circuitBreaker, retry } from './resilience/index.ts'
