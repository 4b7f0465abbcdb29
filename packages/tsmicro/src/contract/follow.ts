import { ApiError, MALFORMED_REPLY, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { type ComeBack, comeBack, type Progress } from './come-back.ts'

/**
 * The key under which a stream's output holds {@link streamCaller}, for HTTP clients. Since contracts bring it along, browser bundles without
 * streams do not contain it.
 */
export const FOLLOW = Symbol('tsmicro.follow')

/** The part of a `StreamBody` that is needed here. */
interface Streamed {
  readonly item: object
  readonly id: string | undefined
}

interface StreamProcedure {
  readonly output?: object
  readonly errors?: object
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

/** A response of `fetch`; the text is that of a failure, or of an item. */
interface Answer {
  readonly response: Response
  readonly text: string | undefined
}

type Send = (input: unknown, options: Options, headers: Readonly<Record<string, string>>) => Promise<Answer>
type Read = (answer: Answer) => Promise<unknown>

/** How a client reaches one stream. */
interface Source extends ComeBack {
  /** Sends the request; resolves to a successful answer. */
  readonly connect: (lastEventId: string | undefined) => Promise<Response>
  /** Reads an item, or the envelope of a failure with its status: it rejects with that. Rejects also if an item does not match its schema. */
  readonly read: (text: string, status?: number) => Promise<unknown>
}

/** Makes the function with which an HTTP client follows a procedure's streams. Every iteration over what it returns is a connection. */
export function streamCaller<P extends StreamProcedure>(
  procedure: P,
  send: Send,
  compileRead: (procedure: P) => Read,
): (input?: unknown, options?: Options) => AsyncIterable<unknown> {
  const { output, errors = {} } = procedure
  const { item, id } = output as Streamed
  // Each item is read like a whole answer.
  const read = compileRead({ ...procedure, output: item, bare: true })
  const source = (input: unknown, options: Options): Source => ({
    async connect(lastEventId) {
      const last = lastEventId === undefined ? {} : { 'last-event-id': asHeader(lastEventId) }
      const answer = await send(input, options, { accept: 'text/event-stream', ...last })
      // It throws the failure.
      if (!answer.response.ok) await read(answer)
      return answer.response
    },
    read: (text, status = 200) => read({ response: new Response(null, { status }), text }),
    declares: code => Object.hasOwn(errors, code),
    resumes: id !== undefined,
    signal: options.signal,
  })
  return (input, options = {}) => ({ [Symbol.asyncIterator]: () => follow(source(input, options)) })
}

/** An id may be any text, but fetch accepts only bytes: those of UTF-8, as browsers send it. */
function asHeader(id: string): string {
  return String.fromCharCode(...new TextEncoder().encode(id))
}

/** How long to wait before coming back, unless the service says otherwise. */
const RETRY_MS = 2000
/** A service sends something every 15 s. After more silence than this, the connection is dead. */
const SILENCE_MS = 45_000
/** Characters of one event. */
const LARGEST_EVENT = 4 * 1024 * 1024

/**
 * Yields the items of a stream of server-sent events. If they have ids, it comes back with the last one after a lost connection, when the
 * service asks it to, and when the service cannot answer for the moment, unless that is so from the start. Leaving the iteration closes
 * the connection.
 * @throws {SERVICE_UNAVAILABLE} if it cannot come back, or has tried in vain for about five minutes; {MALFORMED_REPLY}; the failure that
 *   the service sent; the signal's reason
 */
function follow(source: Source): AsyncGenerator<unknown, void> {
  return comeBack(source, RETRY_MS, progress => followOnce(source, progress))
}

/** One connection. Returns why it has ended, or undefined after the last item. */
async function* followOnce(source: Source, progress: Progress): AsyncGenerator<unknown, ApiError | undefined> {
  let response: Response
  try {
    response = await source.connect(progress.lastEventId)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  progress.opened = true
  for await (const { name, data, id } of eventsOf(response, source.signal)) {
    if (name === 'end') return undefined
    if (name === 'failure')
      return source.read(data, statusOf(data)).then(
        () => undefined,
        error => error,
      )
    if (name === 'retry') progress.retryMs = Number(data)
    // Also for a comment: it is a sign of life.
    else progress.attempts = 0
    if (name === 'reconnect') break
    if (name !== 'message') continue
    const item = await source.read(data)
    progress.lastEventId = id ?? progress.lastEventId
    yield item
  }
  return new SERVICE_UNAVAILABLE(undefined, { message: 'The stream ended before its last item' })
}

function statusOf(envelope: string): number {
  const status = Number(/"status":(\d{3})\b/.exec(envelope)?.[1])
  return status >= 400 && status <= 599 ? status : 500
}

interface StreamEvent {
  /** Of the protocol of server-sent events: `message` for an item; `retry` and `comment` stand for those lines. */
  readonly name: string
  readonly data: string
  readonly id: string | undefined
}

/** Reads server-sent events until the connection ends. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* eventsOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent, void> {
  let name = 'message'
  let data: string | undefined
  let id: string | undefined
  for await (const line of linesOf(response, signal)) {
    if (line === '') {
      if (data !== undefined) yield { name, data, id }
      name = 'message'
      data = id = undefined
      continue
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (field === 'event') name = value
    else if (field === 'id') id = value
    else if (field === '') yield { name: 'comment', data: value, id: undefined }
    else if (field === 'retry' && /^\d+$/.test(value)) yield { name: 'retry', data: value, id: undefined }
    if ((data?.length ?? 0) > LARGEST_EVENT) throw malformed(response, 'an event that is too large')
  }
}

async function* linesOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<string, void> {
  const reader = response.body?.getReader()
  const leave = () => void reader?.cancel().catch(() => {})
  signal?.addEventListener('abort', leave, { once: true })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let afterReturn = false
  try {
    if (!/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? ''))
      throw malformed(response, 'no server-sent events')
    for (;;) {
      const silence = setTimeout(leave, SILENCE_MS)
      const chunk = await reader?.read().catch(() => undefined)
      clearTimeout(silence)
      signal?.throwIfAborted()
      if (!chunk || chunk.done) return
      let text: string
      try {
        text = decoder.decode(chunk.value, { stream: true })
      } catch {
        throw malformed(response, 'bytes that are not UTF-8')
      }
      if (text === '') continue
      // A line break of two characters may come in two parts.
      if (afterReturn && text.startsWith('\n')) text = text.slice(1)
      afterReturn = text === '' ? false : text.endsWith('\r')
      const lines = text.split(/\r\n|\r|\n/)
      const last = lines.pop() ?? ''
      for (const line of lines) {
        yield rest + line
        rest = ''
      }
      rest += last
      if (rest.length > LARGEST_EVENT) throw malformed(response, 'a line that is too long')
    }
  } finally {
    signal?.removeEventListener('abort', leave)
    leave()
  }
}

function malformed({ url }: Response, what: string): ApiError {
  return new MALFORMED_REPLY(undefined, { cause: new Error(`the answer of ${url} has ${what}`) })
}
