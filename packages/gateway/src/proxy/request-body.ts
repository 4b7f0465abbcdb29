import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/**
 * A client's request body as the upstream connection reads it, chunk by chunk and only as fast as the upstream takes it.
 * It stands between the two because the HTTP client destroys the body it was given when an exchange ends, which on the
 * request itself would cut the connection that the answer still has to travel on.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage
  readonly #onFirstRead: () => void
  #attached = false

  /** `onFirstRead` runs once, when the upstream is ready for the body: the moment for 100 Continue. */
  constructor(req: IncomingMessage, onFirstRead: () => void) {
    super()
    this.#req = req
    this.#onFirstRead = onFirstRead
  }

  override _read(): void {
    if (this.#attached) {
      this.#req.resume()
      return
    }
    this.#attached = true
    this.#onFirstRead()
    this.#req.on('data', this.#onData).on('end', this.#onEnd)
    this.#req.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#req.off('data', this.#onData).off('end', this.#onEnd)
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#req.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }
}
