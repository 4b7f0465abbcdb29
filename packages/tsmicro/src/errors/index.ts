export { ApiError } from './api-error.ts'
export { isNetworkError, rootMessage, UnusableError, unusableIn } from './causes.ts'
export {
  type AnyErrorClass,
  createErrorClass,
  type ErrorClass,
  type ErrorSpec,
} from './define.ts'
export {
  DEADLINE_EXCEEDED,
  FORBIDDEN,
  frameworkErrors,
  GATEWAY_REQUIRED,
  HEADERS_TOO_LARGE,
  IDEMPOTENCY_KEY_IN_USE,
  IDEMPOTENCY_KEY_REUSED,
  INTERNAL,
  isDependencyFailure,
  MALFORMED_REPLY,
  MALFORMED_REQUEST,
  METHOD_NOT_ALLOWED,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  RANGE_NOT_SATISFIABLE,
  REQUEST_TIMEOUT,
  ROUTE_NOT_FOUND,
  SERVICE_UNAVAILABLE,
  TOO_MANY_REQUESTS,
  UNAUTHENTICATED,
  UNSUPPORTED_MEDIA_TYPE,
  VALIDATION_FAILED,
  type ValidationDetail,
} from './table.ts'
export { isTlsRefusal, tlsAdvice } from './tls.ts'
export { settledWithin, within } from './within.ts'
