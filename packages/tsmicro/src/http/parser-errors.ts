import { STATUS_CODES } from 'node:http'
import {
  type AnyErrorClass,
  ApiError,
  createErrorClass,
  frameworkErrors,
  INTERNAL,
  VALIDATION_FAILED,
} from '../errors/index.ts'

const BY_STATUS: ReadonlyMap<number, AnyErrorClass> = new Map(
  [
    frameworkErrors.MALFORMED_REQUEST,
    frameworkErrors.UNAUTHENTICATED,
    frameworkErrors.FORBIDDEN,
    frameworkErrors.ROUTE_NOT_FOUND,
    frameworkErrors.METHOD_NOT_ALLOWED,
    frameworkErrors.REQUEST_TIMEOUT,
    frameworkErrors.PAYLOAD_TOO_LARGE,
    frameworkErrors.UNSUPPORTED_MEDIA_TYPE,
    frameworkErrors.TOO_MANY_REQUESTS,
    frameworkErrors.HEADERS_TOO_LARGE,
    frameworkErrors.INTERNAL,
    frameworkErrors.SERVICE_UNAVAILABLE,
    frameworkErrors.DEADLINE_EXCEEDED,
  ].map(type => [type.status, type]),
)

/** As Fastify, its plugins, http-errors and Boom (`output`) throw them. It may have been made by anybody: nothing is taken for sure. */
interface Thrown {
  readonly statusCode?: unknown
  readonly status?: unknown
  readonly message?: unknown
  readonly expose?: unknown
  readonly headers?: unknown
  readonly output?: unknown
  readonly validation?: unknown
  readonly validationContext?: unknown
}

/**
 * Turns what Fastify, a plugin, a raw route or Node says of a request into an error of ours. Its status is kept, also one that we
 * have no name for: 422 is `UNPROCESSABLE_ENTITY`. Its text reaches the client only when the error says so (`expose`, as in
 * http-errors): it may be another program's.
 *
 * @param replyStatus what the route had set before, which counts when the error names none
 */
export function parserErrorOf(error: unknown, replyStatus = 200): ApiError {
  if (error instanceof ApiError) return error
  try {
    return read(error, replyStatus)
  } catch {
    // One whose members throw when they are looked at.
    return new INTERNAL()
  }
}

function read(error: unknown, replyStatus: number): ApiError {
  const thrown = thrownOf(error)
  const told = [thrown.statusCode, thrown.status, thrownOf(thrown.output).statusCode, replyStatus]
  const status = told.map(statusOf).find(each => each !== undefined) ?? 500
  if (status === 400 && Array.isArray(thrown.validation)) {
    const { validation, validationContext } = thrown
    return new VALIDATION_FAILED(
      validation.map(each => detailOf(each, validationContext)),
      { cause: error },
    )
  }
  const type = BY_STATUS.get(status) ?? classOf(status)
  const { message, expose } = thrown
  const exposed =
    expose === true && typeof message === 'string' && message !== '' && type !== INTERNAL ? { message } : {}
  return new type(undefined, { ...exposed, cause: error })
}

function thrownOf(value: unknown): Thrown {
  return typeof value === 'object' && value !== null ? value : {}
}

/** As Fastify takes it, also a text: '422'. Undefined for what is no failure's. */
function statusOf(status: unknown): number | undefined {
  return ['number', 'string'].includes(typeof status) && /^[45]\d\d$/.test(String(status)) ? Number(status) : undefined
}

function classOf(status: number): AnyErrorClass {
  const phrase = STATUS_CODES[status] ?? `HTTP ${status}`
  const name = phrase.replaceAll(/['’]/g, '').replaceAll(/[^A-Za-z0-9]+/g, '_')
  return createErrorClass(name.toUpperCase(), { status, message: phrase })
}

/** Of a route with a schema of its own, which Fastify checks. */
function detailOf(problem: unknown, part: unknown): { path: string; message: string } {
  const { instancePath = '', message = '' } = (problem ?? {}) as Record<string, unknown>
  return { path: `${part ?? 'request'}${instancePath}`, message: String(message) }
}

/** Not for an error to say: what the body is and how it is framed. */
const FRAMING = ['content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'connection', 'trailer']
const FIELD_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const FIELD_VALUE = /^[\t\x20-\x7e]*$/

type Headers = Record<string, string | string[]>

const isSendable = (value: unknown) => ['string', 'number'].includes(typeof value) && FIELD_VALUE.test(String(value))

/** The headers that an error brings along (http-errors), as far as they can be sent. */
export function headersOf(error: unknown): Headers {
  if (error instanceof ApiError) return {}
  try {
    return readHeaders(error)
  } catch {
    return {}
  }
}

function readHeaders(error: unknown): Headers {
  const { headers, output } = thrownOf(error)
  const sendable = Object.entries(headers ?? thrownOf(output).headers ?? {})
    .map(([name, value]) => [name.toLowerCase(), (Array.isArray(value) ? value : [value]).filter(isSendable)] as const)
    .filter(([name, values]) => FIELD_NAME.test(name) && values.length > 0 && !FRAMING.includes(name))
    .map(([name, values]) => [name, values.length === 1 ? String(values[0]) : values.map(String)])
  return Object.fromEntries(sendable)
}
