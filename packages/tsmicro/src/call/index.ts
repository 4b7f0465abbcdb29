export {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type EndpointLimits,
  type Guard,
  guardOf,
  Limiter,
  missingProvider,
  StreamPlaces,
  ThrottledLog,
} from './admission.ts'
export { backgroundDone, cancelBackground, inBackground, withSharedContext } from './background.ts'
export {
  type CallContext,
  type Consumer,
  currentContext,
  DoorContext,
  type Log,
  type Principal,
  requestIdOf,
  withContext,
} from './context.ts'
export { CallerGoneError, Deadline } from './deadline.ts'
export { Expiring, expireIn, expiringCount, forget } from './expiry.ts'
export { createFailureMapper, type FailureMapper, type Stage } from './failure.ts'
export type { OpenFile } from './file-answer.ts'
export { headersOfFile } from './file-headers.ts'
export { idempotencyKey, isIdempotencyKey, isReplay } from './idempotency-key.ts'
export { HeaderFields, Inherited, REQUEST_ID, TRACEPARENT } from './inherited.ts'
export {
  type CallOf,
  compose,
  createPipeline,
  type Handler,
  type Middleware,
  type ProcedureCall,
} from './pipeline.ts'
export { Recent } from './recent.ts'
export { reply, type Settled } from './reply.ts'
export { ComeBackError, OpenStream, type StreamItem } from './stream.ts'
