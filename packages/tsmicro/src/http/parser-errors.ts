import {
  ApiError,
  INTERNAL,
  MALFORMED_REQUEST,
  PAYLOAD_TOO_LARGE,
  REQUEST_TIMEOUT,
  TOO_MANY_REQUESTS,
  UNSUPPORTED_MEDIA_TYPE,
} from '../errors/index.ts'

/** Turns what Fastify or Node says of an unreadable request into our table; anything that is not a 4xx is INTERNAL. */
export function parserErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const status = (error as { statusCode?: number } | null)?.statusCode ?? 500
  if (status === 413) return new PAYLOAD_TOO_LARGE(undefined, { cause: error })
  if (status === 415) return new UNSUPPORTED_MEDIA_TYPE(undefined, { cause: error })
  if (status === 408) return new REQUEST_TIMEOUT(undefined, { cause: error })
  if (status === 429) return new TOO_MANY_REQUESTS(undefined, { cause: error })
  if (status >= 400 && status < 500) return new MALFORMED_REQUEST(undefined, { cause: error })
  return new INTERNAL(undefined, { cause: error })
}
