import { createErrorClass } from './define.ts'

// The framework's own failures. Applications declare theirs with `defineErrors` in their contracts.
// Status codes follow RFC 9110 and RFC 6585; 499 is never sent (the caller is gone).

/**
 * 400: the input does not match its schema. `data` lists what is wrong, field by field.
 *
 * @example
 * const details: readonly ValidationDetail[] = [{ path: 'title', message: 'must not be empty' }]
 * throw new VALIDATION_FAILED(details)
 */
export const VALIDATION_FAILED = createErrorClass<'VALIDATION_FAILED', readonly ValidationDetail[]>(
  'VALIDATION_FAILED',
  {
    status: 400,
    message: 'The request does not match the schema',
  },
)
export const MALFORMED_REQUEST = createErrorClass<'MALFORMED_REQUEST', undefined>('MALFORMED_REQUEST', {
  status: 400,
  message: 'The request cannot be read',
})
/**
 * 401: the caller is not identified. An {@link AuthenticationProvider} throws it for invalid credentials.
 *
 * @example
 * throw new UNAUTHENTICATED()
 */
export const UNAUTHENTICATED = createErrorClass<'UNAUTHENTICATED', undefined>('UNAUTHENTICATED', {
  status: 401,
  message: 'Sign in to use this',
})
/**
 * 403: the caller is known and may not do this.
 *
 * @example
 * throw new FORBIDDEN()
 */
export const FORBIDDEN = createErrorClass<'FORBIDDEN', undefined>('FORBIDDEN', {
  status: 403,
  message: 'You may not do this',
})
export const GATEWAY_REQUIRED = createErrorClass<'GATEWAY_REQUIRED', undefined>('GATEWAY_REQUIRED', {
  status: 403,
  message: 'Ask the gateway, not the service',
})
export const ROUTE_NOT_FOUND = createErrorClass<'ROUTE_NOT_FOUND', undefined>('ROUTE_NOT_FOUND', {
  status: 404,
  message: 'There is nothing here',
})
export const METHOD_NOT_ALLOWED = createErrorClass<'METHOD_NOT_ALLOWED', undefined>('METHOD_NOT_ALLOWED', {
  status: 405,
  message: 'This takes other methods',
})
export const REQUEST_TIMEOUT = createErrorClass<'REQUEST_TIMEOUT', undefined>('REQUEST_TIMEOUT', {
  status: 408,
  message: 'The request did not arrive in time',
})
/**
 * 413: the input, the answer or the event is larger than the door accepts.
 *
 * @example
 * const { status, code } = new PAYLOAD_TOO_LARGE()
 * `${status} ${code}` // '413 PAYLOAD_TOO_LARGE'
 */
export const PAYLOAD_TOO_LARGE = createErrorClass<'PAYLOAD_TOO_LARGE', undefined>('PAYLOAD_TOO_LARGE', {
  status: 413,
  message: 'The body is too large',
})
export const UNSUPPORTED_MEDIA_TYPE = createErrorClass<'UNSUPPORTED_MEDIA_TYPE', undefined>('UNSUPPORTED_MEDIA_TYPE', {
  status: 415,
  message: 'Send the body as application/json',
})
export const RANGE_NOT_SATISFIABLE = createErrorClass<'RANGE_NOT_SATISFIABLE', undefined>('RANGE_NOT_SATISFIABLE', {
  status: 416,
  message: 'The file is shorter than the range that was asked for',
})
/**
 * 429: the caller has made too many requests.
 *
 * @example
 * throw new TOO_MANY_REQUESTS(undefined, { retryAfterSeconds: 30 })
 */
export const TOO_MANY_REQUESTS = createErrorClass<'TOO_MANY_REQUESTS', undefined>('TOO_MANY_REQUESTS', {
  status: 429,
  message: 'Too many requests',
})
export const HEADERS_TOO_LARGE = createErrorClass<'HEADERS_TOO_LARGE', undefined>('HEADERS_TOO_LARGE', {
  status: 431,
  message: 'The headers are too large',
})
export const INTERNAL = createErrorClass<'INTERNAL', undefined>('INTERNAL', {
  status: 500,
  message: 'Something went wrong',
})
/**
 * 503: a dependency or the called service cannot answer now. A handler may pass it on without declaring it.
 *
 * @example
 * throw new SERVICE_UNAVAILABLE(undefined, { cause: err })
 */
export const SERVICE_UNAVAILABLE = createErrorClass<'SERVICE_UNAVAILABLE', undefined>('SERVICE_UNAVAILABLE', {
  status: 503,
  message: 'The service cannot answer now, try again',
})
/**
 * 503: too many calls are already waiting. A handler may pass it on without declaring it.
 *
 * @example
 * throw new OVERLOADED()
 */
export const OVERLOADED = createErrorClass<'OVERLOADED', undefined>('OVERLOADED', {
  status: 503,
  message: 'The service is busy, try again',
})
/**
 * 504: the answer did not arrive before the deadline of the call. A handler may pass it on without declaring it.
 *
 * @example
 * new DEADLINE_EXCEEDED() instanceof ApiError // true
 */
export const DEADLINE_EXCEEDED = createErrorClass<'DEADLINE_EXCEEDED', undefined>('DEADLINE_EXCEEDED', {
  status: 504,
  message: 'The answer did not come in time',
})

/** 409: the first call with an `Idempotency-Key` is under way. */
export const IDEMPOTENCY_KEY_IN_USE = createErrorClass<'IDEMPOTENCY_KEY_IN_USE', undefined>('IDEMPOTENCY_KEY_IN_USE', {
  status: 409,
  message: 'The first request with this key is under way',
})
/** 422: an `Idempotency-Key` was used for another input before. */
export const IDEMPOTENCY_KEY_REUSED = createErrorClass<'IDEMPOTENCY_KEY_REUSED', undefined>('IDEMPOTENCY_KEY_REUSED', {
  status: 422,
  message: 'This key was used for another request',
})

/** Another service's answer is not a valid reply, or not what its procedure declares. */
export const MALFORMED_REPLY = createErrorClass<'MALFORMED_REPLY', undefined>('MALFORMED_REPLY', {
  status: 500,
  message: 'Another service answered something unreadable',
})

/** One problem of a request. `path` is a JSON pointer into the input, without the leading slash, e.g. `items/0/title`. */
export interface ValidationDetail {
  readonly path: string
  readonly message: string
}

/**
 * The framework's own errors, by code.
 *
 * @example
 * frameworkErrors.FORBIDDEN.status // 403
 * new frameworkErrors.ROUTE_NOT_FOUND() instanceof ApiError // true
 */
export const frameworkErrors = {
  VALIDATION_FAILED,
  MALFORMED_REQUEST,
  UNAUTHENTICATED,
  FORBIDDEN,
  GATEWAY_REQUIRED,
  ROUTE_NOT_FOUND,
  METHOD_NOT_ALLOWED,
  REQUEST_TIMEOUT,
  PAYLOAD_TOO_LARGE,
  UNSUPPORTED_MEDIA_TYPE,
  RANGE_NOT_SATISFIABLE,
  TOO_MANY_REQUESTS,
  HEADERS_TOO_LARGE,
  INTERNAL,
  SERVICE_UNAVAILABLE,
  OVERLOADED,
  DEADLINE_EXCEEDED,
  IDEMPOTENCY_KEY_IN_USE,
  IDEMPOTENCY_KEY_REUSED,
} as const

/**
 * True for failures that say that a dependency cannot answer now. A handler may pass them on undeclared; its procedure must declare every
 * other error, so that a dependency's 401, 403 or 404 never becomes ours.
 *
 * @example
 * isDependencyFailure(new SERVICE_UNAVAILABLE()) // true
 * isDependencyFailure(new FORBIDDEN()) // false
 */
export function isDependencyFailure(error: unknown): boolean {
  return error instanceof SERVICE_UNAVAILABLE || error instanceof OVERLOADED || error instanceof DEADLINE_EXCEEDED
}
