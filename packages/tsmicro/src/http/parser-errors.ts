import { type AnyErrorClass, ApiError, frameworkErrors, INTERNAL, MALFORMED_REQUEST } from '../errors/index.ts'

const BY_STATUS: ReadonlyMap<number, AnyErrorClass> = new Map(
  [
    frameworkErrors.UNAUTHENTICATED,
    frameworkErrors.FORBIDDEN,
    frameworkErrors.ROUTE_NOT_FOUND,
    frameworkErrors.REQUEST_TIMEOUT,
    frameworkErrors.PAYLOAD_TOO_LARGE,
    frameworkErrors.UNSUPPORTED_MEDIA_TYPE,
    frameworkErrors.TOO_MANY_REQUESTS,
    frameworkErrors.HEADERS_TOO_LARGE,
  ].map(type => [type.status, type]),
)

/**
 * Turns what Fastify, a plugin or Node says of a request into our table: by its status where we have that, any other 4xx is
 * MALFORMED_REQUEST, anything else INTERNAL.
 */
export function parserErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const status = (error as { statusCode?: number } | null)?.statusCode ?? 500
  const type = BY_STATUS.get(status) ?? (status >= 400 && status < 500 ? MALFORMED_REQUEST : INTERNAL)
  return new type(undefined, { cause: error })
}
