import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  type CallContext,
  CallerGoneError,
  ComeBackError,
  type EndpointLimits,
  type OpenStream,
  type StreamItem,
  StreamPlaces,
} from '../call/index.ts'
import { whenClosed } from './connections.ts'
import { failureEnvelope } from './envelope.ts'
import { exchangeOf } from './exchange.ts'
import { failureOf } from './failures.ts'
import { DEFAULT_SEND_TIMEOUT_MS } from './files.ts'
import { destroyLater } from './linger.ts'
import { formatOf, type StreamFormat } from './stream-format.ts'

/**
 * How long the head waits for a first item. What fails until then is answered with its own status; after that the status is 200 and the
 * failure an event.
 */
const FIRST_MS = 100
/** Proxies close connections that are silent for a minute. */
const SILENCE_MS = 15_000
/** When clients come back: at random, because after a restart all of them do. */
const RETRY_MS = { least: 1000, most: 3000 }
/** How long a client that has been told to come back may take to read that. */
const LAST_WORDS_MS = 5000

interface StreamOptions {
  readonly server: FastifyInstance
  readonly limits: EndpointLimits | undefined
  /** Milliseconds in which a client must take the last bytes. Default 30,000. */
  readonly sendTimeoutMs: number | undefined
}

type Answer = (
  reply: FastifyReply,
  context: CallContext,
  open: () => Promise<OpenStream>,
) => Promise<Readable | FastifyReply>

/**
 * Compiles how the streams of one procedure are answered. All of them end when the server is closed: their clients are told to come back.
 * @param refused logs that too many are open
 * @throws {OVERLOADED} from the returned function when too many are open; what `open` throws, and the stream before its first item
 */
export function compileStreams(
  { server, limits, sendTimeoutMs = DEFAULT_SEND_TIMEOUT_MS }: StreamOptions,
  refused: (error: unknown) => unknown,
): Answer {
  const places = new StreamPlaces(limits, refused)
  const opened = new Set<OpenStream>()
  let closing = false
  server.addHook('preClose', async () => {
    closing = true
    for (const stream of opened) stream.cancel(new ComeBackError())
  })
  return async (reply, context, open) => {
    const format = formatOf(reply.request.headers.accept)
    const start = () =>
      void reply
        .type(format.type)
        // Some proxies compress, and hold back what they compress.
        .header('cache-control', 'no-store, no-transform')
        .header('x-accel-buffering', 'no')
    if (reply.request.method === 'HEAD') {
      start()
      // Without a body, Fastify would add `content-length: 0`.
      return Readable.from([])
    }
    const { raw } = reply
    whenClosed(raw, places.take())
    const stream = await open()
    let lasts = false
    /** The first one counts. */
    const lastFor = (ms: number) => {
      if (raw.socket && !lasts) destroyLater(raw.socket, ms, raw)
      lasts = true
    }
    opened.add(stream)
    // Before all other listeners: once the deadline has been disposed of, it no longer aborts the handler's signal.
    raw.prependOnceListener('close', () => {
      opened.delete(stream)
      stream.cancel(new CallerGoneError())
    })
    context.deadline.onEnd(reason => {
      if (reason instanceof ComeBackError) lastFor(LAST_WORDS_MS)
    })
    if (closing) stream.cancel(new ComeBackError())
    const first = stream.next()
    await firstOf(first)
    start()
    const answer = new StreamAnswer(stream, first, format, reply.request.id, () => lastFor(sendTimeoutMs))
    exchangeOf(reply.request).notes = answer.notes
    return answer
  }
}

/** Waits for the first item, but not for long. @throws the failure of a stream that fails until then */
async function firstOf(first: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = sleep(FIRST_MS, undefined, { signal: timer.signal }).catch(() => {})
  try {
    await Promise.race([first, late])
  } catch (error) {
    if (!(error instanceof ComeBackError)) throw error
  } finally {
    timer.abort()
  }
}

/** The body of an answer. It asks for an item when the connection takes one, so a slow client holds the handler back. */
class StreamAnswer extends Readable {
  readonly notes: { items: number; ended: string } = { items: 0, ended: 'left' }
  readonly #stream: OpenStream
  readonly #format: StreamFormat
  readonly #requestId: string
  readonly #onEnd: () => void
  readonly #silence: NodeJS.Timeout
  readonly #retryMs = Math.round(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least))
  #first: Promise<StreamItem | undefined> | undefined
  #waiting = false

  /** @param onEnd called when all that is left to do is to send the last bytes */
  constructor(
    stream: OpenStream,
    first: Promise<StreamItem | undefined>,
    format: StreamFormat,
    requestId: string,
    onEnd: () => void,
  ) {
    super({ highWaterMark: 0 })
    this.#stream = stream
    this.#first = first
    this.#format = format
    this.#requestId = requestId
    this.#onEnd = onEnd
    // It must not become an unhandled rejection before it is read.
    first.catch(() => {})
    this.#silence = setInterval(() => this.#breakSilence(), SILENCE_MS)
    this.push(format.start(this.#retryMs))
  }

  override _read(): void {
    // After a comment, Node asks again although the item has yet to come.
    if (this.#waiting) return
    this.#waiting = true
    const next = this.#first ?? this.#stream.next()
    this.#first = undefined
    next.then(
      item => this.#send(item),
      error => this.#fail(error),
    )
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#silence)
    done(error)
  }

  #send(item: StreamItem | undefined): void {
    this.#waiting = false
    if (item) {
      this.notes.items += 1
      this.#silence.refresh()
      this.push(this.#format.item(item))
    } else this.#end('end', '{}')
  }

  #fail(error: unknown): void {
    if (error instanceof CallerGoneError) return
    if (error instanceof ComeBackError) this.#end('reconnect', '{}')
    else {
      const failure = failureOf(error)
      this.#end('failure', JSON.stringify(failureEnvelope(failure, this.#requestId)), failure.code)
    }
  }

  #end(name: 'end' | 'reconnect' | 'failure', data: string, ended: string = name): void {
    this.notes.ended = ended
    if (this.destroyed) return
    this.push(this.#format.end(name, data))
    this.push(null)
    this.#onEnd()
  }

  /** Not while the client has yet to read what was sent before: what nobody reads would pile up. */
  #breakSilence(): void {
    if (this.#waiting && this.readableLength === 0 && !this.destroyed) this.push(this.#format.silence)
  }
}
