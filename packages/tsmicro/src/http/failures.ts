import type { FastifyReply } from 'fastify'
import type { Log } from '../call/index.ts'
import {
  type AnyErrorClass,
  ApiError,
  createErrorClass,
  frameworkErrors,
  GATEWAY_REQUIRED,
  IDEMPOTENCY_KEY_IN_USE,
  IDEMPOTENCY_KEY_REUSED,
  INTERNAL,
  OVERLOADED,
  VALIDATION_FAILED,
} from '../errors/index.ts'
import { failureEnvelope, JSON_TYPE } from './envelope.ts'
import { STATUS_CODES } from './status-text.ts'

/** They have the status of a more general error, with a name or without. */
const SPECIFIC: readonly AnyErrorClass[] = [
  VALIDATION_FAILED,
  GATEWAY_REQUIRED,
  OVERLOADED,
  IDEMPOTENCY_KEY_IN_USE,
  IDEMPOTENCY_KEY_REUSED,
]
const BY_STATUS: ReadonlyMap<number, AnyErrorClass> = new Map(
  Object.values<AnyErrorClass>(frameworkErrors)
    .filter(type => !SPECIFIC.includes(type))
    .map(type => [type.status, type]),
)

/** An error as Fastify, its plugins, http-errors and Boom (`output`) throw it. Any code may have made it, so nothing is certain. */
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
 * Turns an error of Fastify, a plugin, a raw route or Node into one of ours. Its status is kept, even one that we have no name for:
 * 422 becomes `UNPROCESSABLE_ENTITY`. Its message reaches the client only if the error permits that (`expose`, as in http-errors),
 * because the text may come from another program.
 *
 * @param replyStatus what the route had set before, used if the error has no status
 */
export function failureOf(error: unknown, replyStatus = 200): ApiError {
  if (error instanceof ApiError) return error
  try {
    return read(error, replyStatus)
  } catch {
    // Its getters throw.
    return new INTERNAL()
  }
}

function read(error: unknown, replyStatus: number): ApiError {
  const thrown = thrownOf(error)
  const candidates = [thrown.statusCode, thrown.status, thrownOf(thrown.output).statusCode, replyStatus]
  const status = candidates.map(statusOf).find(each => each !== undefined) ?? 500
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

/** Accepts text like '422', as Fastify does. Undefined for a status that is not a failure's. */
function statusOf(status: unknown): number | undefined {
  return ['number', 'string'].includes(typeof status) && /^[45]\d\d$/.test(String(status)) ? Number(status) : undefined
}

function classOf(status: number): AnyErrorClass {
  const phrase = STATUS_CODES[status] ?? `HTTP ${status}`
  const name = phrase.replaceAll(/['’]/g, '').replaceAll(/[^A-Za-z0-9]+/g, '_')
  return createErrorClass(name.toUpperCase(), { status, message: phrase })
}

/** For a route with a schema of its own, which Fastify checks. */
function detailOf(problem: unknown, part: unknown): { path: string; message: string } {
  const { instancePath = '', message = '' } = (problem ?? {}) as Record<string, unknown>
  return { path: `${part ?? 'request'}${instancePath}`, message: String(message) }
}

/** Headers that an error may not set: they describe the body and its framing. */
const FRAMING = ['content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'connection', 'trailer']
const FIELD_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const FIELD_VALUE = /^[\t\x20-\x7e]*$/

const isSendable = (value: unknown) => ['string', 'number'].includes(typeof value) && FIELD_VALUE.test(String(value))

/** The headers that an error brings (http-errors), as far as they can be sent. */
export function headersOf(error: unknown): Record<string, string | string[]> {
  if (error instanceof ApiError) return {}
  try {
    const { headers, output } = thrownOf(error)
    const sendable = Object.entries(headers ?? thrownOf(output).headers ?? {})
      .map(
        ([name, value]) => [name.toLowerCase(), (Array.isArray(value) ? value : [value]).filter(isSendable)] as const,
      )
      .filter(([name, values]) => FIELD_NAME.test(name) && values.length > 0 && !FRAMING.includes(name))
      .map(([name, values]) => [name, values.length === 1 ? String(values[0]) : values.map(String)])
    return Object.fromEntries(sendable)
  } catch {
    return {}
  }
}

/** The value of `www-authenticate` (RFC 6750, 3): names an error only if a token was sent. */
export function challengeOf(authorization: string | undefined, realm = 'api'): string {
  const challenge = `Bearer realm="${realm.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`
  return authorization !== undefined && /^bearer\b/i.test(authorization)
    ? `${challenge}, error="invalid_token"`
    : challenge
}

/**
 * Answers with a failure, as text, because `preSerialization` hooks see only objects. If an `onSend` hook or a header fails while the
 * answer is sent (often the one that caused the failure), Fastify passes that error to its own handler, which would show its message
 * to the client. So from here on another payload is logged, and the failure is written directly, without hooks and their headers.
 */
export function sendFailure(reply: FastifyReply, failure: ApiError, log: Log): void {
  const requestId = reply.request.id
  const body = JSON.stringify(failureEnvelope(failure, requestId))
  const send = reply.send.bind(reply)
  Reflect.set(reply, 'send', (payload: unknown) => {
    if (reply.sent) return send(payload)
    log.error({ err: payload, requestId }, 'an answer failed on its way')
    const { raw } = reply.hijack()
    if (raw.headersSent) raw.destroy()
    else
      raw
        .writeHead(failure.status, {
          'content-type': JSON_TYPE,
          'content-length': Buffer.byteLength(body),
          connection: 'close',
          ...standardHeaders(requestId),
        })
        .end(body)
    return reply
  })
  reply.code(failure.status).type(JSON_TYPE)
  send(body)
}

/** The headers of every answer. Answers belong to one caller, and some carry tokens (RFC 6749, 5.1); a public handler may override that. */
function standardHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
}

export function setStandardHeaders(reply: FastifyReply): void {
  reply
    .header('x-request-id', reply.request.id)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
}
