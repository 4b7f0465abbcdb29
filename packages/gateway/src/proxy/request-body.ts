import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** So much of a body is kept to be sent again. What is longer is sent once, as it comes. */
const KEEP_BYTES = 1024 * 1024

/** A client's request body, for one attempt after the other. */
export class RequestBody {
  readonly #req: IncomingMessage
  readonly #onFirstRead: () => void
  /** What came so far; undefined when it is not kept. */
  #kept: Buffer[] | undefined
  #size = 0
  #read = false

  /**
   * `keep`: for an attempt after the next. `onFirstRead` runs once, when the upstream is ready for the body: the moment for
   * 100 Continue.
   */
  constructor(req: IncomingMessage, keep: boolean, onFirstRead: () => void) {
    this.#req = req
    this.#kept = keep ? [] : undefined
    this.#onFirstRead = onFirstRead
  }

  /** Whether another attempt can have the whole of it. */
  get isWhole(): boolean {
    return !this.#read || this.#kept !== undefined
  }

  /** The body from its beginning. The stream before this one must have been destroyed. */
  open(): Readable {
    return new BodyStream(this.#req, this.#kept ?? [], {
      onRead: () => {
        if (!this.#read) this.#onFirstRead()
        this.#read = true
      },
      onChunk: chunk => this.#keep(chunk),
    })
  }

  #keep(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > KEEP_BYTES) this.#kept = undefined
    this.#kept?.push(chunk)
  }
}

interface Events {
  readonly onRead: () => void
  readonly onChunk: (chunk: Buffer) => void
}

/**
 * A body as one upstream connection reads it, chunk by chunk and only as fast as the upstream takes it. It stands between
 * the two because the HTTP client destroys the body it was given when an exchange ends, which on the request itself would
 * cut the connection that the answer still has to travel on.
 */
class BodyStream extends Readable {
  readonly #req: IncomingMessage
  readonly #first: readonly Buffer[]
  readonly #events: Events
  #attached = false

  constructor(req: IncomingMessage, first: readonly Buffer[], events: Events) {
    super()
    this.#req = req
    this.#first = [...first]
    this.#events = events
  }

  override _read(): void {
    if (this.#attached) {
      this.#req.resume()
      return
    }
    this.#attached = true
    this.#events.onRead()
    for (const chunk of this.#first) this.push(chunk)
    if (this.#req.readableEnded) {
      this.push(null)
      return
    }
    this.#req.on('data', this.#onData).on('end', this.#onEnd)
    this.#req.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // Paused, or what comes until the next attempt would be lost.
    if (this.#attached) this.#req.off('data', this.#onData).off('end', this.#onEnd).pause()
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#events.onChunk(chunk)
    if (!this.push(chunk)) this.#req.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }
}
