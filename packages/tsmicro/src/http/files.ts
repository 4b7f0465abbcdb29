import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type CallContext,
  CallerGoneError,
  type EndpointLimits,
  type FailureMapper,
  headersOfFile,
  type OpenFile,
  type Settled,
  StreamPlaces,
} from '../call/index.ts'
import { type BoundProcedure, declaresReplies, fileOfOutput, statusesOf } from '../contract/index.ts'
import { DEADLINE_EXCEEDED, RANGE_NOT_SATISFIABLE, rootMessage } from '../errors/index.ts'
import { isNotModified } from './conditional.ts'
import { whenClosed } from './connections.ts'

export const DEFAULT_SEND_TIMEOUT_MS = 30_000

interface SendOptions {
  /** Milliseconds in which a client must take the next 64 KiB. Default 30,000. */
  readonly sendTimeoutMs: number | undefined
  /** Milliseconds in which the handler must make the next piece. */
  readonly timeoutMs: number
  readonly toFailure: FailureMapper
  readonly limits: EndpointLimits | undefined
  /** Logs that too many are sent. */
  readonly refused: (error: unknown) => unknown
}

interface Pace {
  readonly sendTimeoutMs: number
  readonly timeoutMs: number
  /** Logged with a file that breaks off. */
  readonly procedure: string
}

type SendFile = (
  request: FastifyRequest,
  reply: FastifyReply,
  context: CallContext,
  open: () => Promise<unknown>,
) => Promise<unknown>

/**
 * Compiles the answer of a procedure whose output is a file: sets the headers and returns the body. Undefined for other outputs. Rejects with
 * the caller's failure until the first piece has been read.
 * @throws {OVERLOADED} from the returned function when too many are sent; what `open` throws
 */
export function compileSendFile(procedure: BoundProcedure, options: SendOptions): SendFile | undefined {
  if (!fileOfOutput(procedure.output)) return undefined
  const { limits, refused, sendTimeoutMs = DEFAULT_SEND_TIMEOUT_MS, timeoutMs, toFailure } = options
  const pace = { sendTimeoutMs, timeoutMs, procedure: `${procedure.service}.${procedure.name}` }
  const [status = 200] = statusesOf(procedure)
  const settledOf = declaresReplies(procedure)
    ? (result: unknown) => result as Settled
    : (value: unknown) => ({ value, status, headers: {}, cookies: [] })
  const places = new StreamPlaces(limits, refused)
  return async (request, reply, context, open) => {
    whenClosed(reply.raw, places.take())
    const { value, status, headers, cookies } = settledOf(await open())
    // What is left of the handler's time does not limit its reader. It still ends when the client leaves.
    context.deadline.pause()
    try {
      const body = value && (await send(value as OpenFile, headers, request, reply.code(status), context, pace))
      reply.headers(headers)
      if (cookies.length > 0) reply.header('set-cookie', cookies)
      return body
    } catch (error) {
      throw error instanceof RANGE_NOT_SATISFIABLE ? error : await toFailure(error, 'handler', context.log)
    }
  }
}

/** A file as a response (RFC 9110). Several ranges at once are not divided: the whole is sent. */
async function send(
  file: OpenFile,
  { etag, 'last-modified': modified }: Readonly<Record<string, string>>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: CallContext,
  pace: Pace,
): Promise<unknown> {
  whenClosed(reply.raw, () => file.close())
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const validators = {
    ...(file.version === undefined ? {} : { etag: `"${file.version}"` }),
    ...(file.modified === undefined ? {} : { 'last-modified': file.modified.toUTCString() }),
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { 'last-modified': modified }),
  }
  // It belongs to its caller alone, but need not be sent again while it is the same.
  const caching = Object.keys(validators).length > 0 ? { 'cache-control': 'private, no-cache', ...validators } : {}
  // Before the range (RFC 9110, 13.2.2): who has all of it needs no part.
  if (isRead && isNotModified(request.headers, validators)) {
    file.close()
    reply.code(304).headers(caching)
    return request.method === 'HEAD' ? Readable.from([]) : undefined
  }
  const range = isRead ? rangeOf(request, file.size, validators) : undefined
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${file.size}`)
    throw new RANGE_NOT_SATISFIABLE()
  }
  const chunks = range ? file.part(range.first, range.last) : file.chunks
  const body = request.method === 'HEAD' ? Readable.from([]) : await begun(paced(chunks, reply, context, pace))
  if (request.method === 'HEAD') file.close()
  // What only reading tells the size of cannot be divided.
  if (isRead && file.size !== undefined) reply.header('accept-ranges', 'bytes')
  if (range) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${file.size}`)
  const length = range ? range.last + 1 - range.first : file.size
  reply.headers({ ...caching, ...headersOfFile(file, length) })
  return body
}

interface Range {
  readonly first: number
  /** Included. */
  readonly last: number
}

/** The one range that a client asks for; undefined to send the whole. */
function rangeOf(
  { headers, method }: FastifyRequest,
  size: number | undefined,
  { etag, 'last-modified': modified }: { readonly etag?: string; readonly 'last-modified'?: string },
): Range | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(headers.range?.trim() ?? '') ?? []
  if (size === undefined || method !== 'GET' || (from === '' && to === '')) return undefined
  // The rest of another version would not fit to what the client has.
  const condition = headers['if-range']
  if (condition !== undefined && ((condition !== etag && condition !== modified) || condition.startsWith('W/')))
    return undefined
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return first > last ? 'unsatisfiable' : { first, last }
}

/** Reads the first piece, so that a failure before it can still be answered. */
async function begun(chunks: AsyncGenerator<Uint8Array>): Promise<Readable> {
  const first = await chunks.next()
  return Readable.from(
    (async function* () {
      try {
        if (!first.done) yield first.value
        yield* chunks
      } finally {
        await chunks.return(undefined)
      }
    })(),
  )
}

/**
 * Passes pieces on, each within its time: the handler's to make it, then the client's to take it. Whoever is late, or fails, ends the
 * connection in the middle of the body: no client can take the part for the whole.
 */
async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  { raw, request }: FastifyReply,
  { deadline, log }: CallContext,
  { procedure, sendTimeoutMs, timeoutMs }: Pace,
): AsyncGenerator<Uint8Array> {
  let timer: NodeJS.Timeout | undefined
  let begun = false
  const cut = (reason: unknown) => {
    clearTimeout(timer)
    if (raw.closed) return
    if (!raw.destroyed && !(reason instanceof CallerGoneError))
      log.error({ err: reason, procedure }, `a file broke off in ${procedure}: ${rootMessage(reason)}`)
    deadline.cancel(reason as Error)
    // Without a length, HTTP/1.0 ends a body with the connection: only a reset tells the part from the whole.
    if (request.raw.httpVersion === '1.0') raw.socket?.resetAndDestroy()
    raw.destroy()
  }
  const within = (ms: number, Reason: new () => Error) => {
    clearTimeout(timer)
    if (raw.closed) return
    // What was taken during a pause of this process is noticed before it counts as late.
    const own = setTimeout(() => setImmediate(() => own === timer && cut(new Reason())), ms)
    timer = own
  }
  raw.once('close', () => clearTimeout(timer))
  try {
    within(timeoutMs, DEADLINE_EXCEEDED)
    for await (const chunk of chunks) {
      within(sendTimeoutMs, CallerGoneError)
      yield chunk
      begun = true
      within(timeoutMs, DEADLINE_EXCEEDED)
    }
    within(sendTimeoutMs, CallerGoneError)
  } catch (error) {
    if (!begun) throw error
    cut(error)
  }
}
