import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Waiting } from '../balancing/balancer.ts'
import type { ServiceConfig } from '../config/model.ts'
import { CLIENT_TIMEOUT_MS } from '../server/limits.ts'
import type { SlotList } from '../server/slot-list.ts'
import {
  CLIENT_TIMED_OUT,
  type Failure,
  failureOf,
  INVALID_RESPONSE,
  UPSTREAM_FROZEN,
  UPSTREAM_TIMED_OUT,
} from './failure.ts'
import { IdleTimer } from './idle-timer.ts'

export interface AttemptOptions {
  readonly req: IncomingMessage
  readonly body: Readable | undefined
  readonly timeouts: Pick<ServiceConfig, 'readTimeout' | 'writeTimeout'>
  readonly receiver: Receiver
  /** Where to wait, to hear when the target is frozen. */
  readonly waiting: SlotList<Waiting> | undefined
}

/** Who gets what comes back. After `onEnd`, `onUpgrade` or `onFailure` nothing more comes. */
export interface Receiver {
  onResponse(status: number, rawHeaders: readonly (Buffer | string)[]): void
  /** Returns false when it must not go on before `resume`. */
  onData(chunk: Buffer): boolean
  onEnd(): void
  /** The upstream speaks the protocol that it was asked for from now on; the connection is the receiver's. */
  onUpgrade(rawHeaders: readonly (Buffer | string)[], socket: Duplex): void
  onFailure(failure: Failure, error: Error): void
}

/** One attempt at a target: a request that goes out, a response that comes back, and the time that both may take. */
export class Attempt implements Dispatcher.DispatchHandler, Waiting {
  slot = -1
  readonly #o: AttemptOptions
  readonly #idle = new IdleTimer(() => this.#onIdle())
  #controller: Dispatcher.DispatchController | undefined
  #requestSent = false
  #answered = false
  #clientIdleMs = 0
  #over = false

  constructor(options: AttemptOptions) {
    this.#o = options
    options.waiting?.add(this)
  }

  /** Whether a connection took the request up: from then on some of it may have been sent. */
  get sent(): boolean {
    return this.#controller !== undefined
  }

  /** The client reads again. */
  resume(): void {
    this.#awaitProgress()
    this.#controller?.resume()
  }

  /** An answer that has begun may have come in full, and has a time of its own. */
  onFrozen(): void {
    if (!this.#over && !this.#answered) this.#fail(UPSTREAM_FROZEN, new Error('the upstream answers no health checks'))
  }

  /** Gives up without telling the receiver. */
  cancel(reason: Error): void {
    this.#finish()
    this.#controller?.abort(reason)
    this.#o.body?.destroy()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('the client went away'))
    else this.#awaitProgress()
  }

  onBodySent(): void {
    this.#clientIdleMs = 0
    this.#awaitProgress()
  }

  onRequestSent(): void {
    this.#requestSent = true
    this.#awaitProgress()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return
    // Without the fields that make it an upgrade: neither an answer nor the promise of one.
    if (status === 101) this.#fail(INVALID_RESPONSE, new Error('the upstream switched to no protocol'))
    if (status < 200) return
    this.#answered = true
    this.#o.waiting?.delete(this)
    this.#o.receiver.onResponse(status, rawHeadersOf(controller))
    this.#awaitProgress()
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    const over = this.#over
    this.#finish()
    // The client library has left it to us.
    socket.on('error', () => {})
    if (over || headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.destroy()
      if (!over) this.#o.receiver.onFailure(INVALID_RESPONSE, new Error('the upstream switched to another protocol'))
      return
    }
    this.#o.receiver.onUpgrade(rawHeadersOf(controller), socket)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.#awaitProgress()
    if (this.#o.receiver.onData(chunk)) return
    controller.pause()
    this.#idle.start(CLIENT_TIMEOUT_MS)
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#finish()
    this.#o.receiver.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (!this.#over) this.#fail(failureOf(error), error)
  }

  #awaitProgress(): void {
    // The connection may still report on an attempt that is over; a timer started then would outlive it.
    if (this.#over) return
    const { timeouts, body } = this.#o
    this.#idle.start(this.#requestSent || body === undefined ? timeouts.readTimeout : timeouts.writeTimeout)
  }

  #onIdle(): void {
    const { req, body, timeouts } = this.#o
    const sending = !this.#requestSent && body !== undefined && !this.#answered
    if (sending && !body.isPaused() && !req.complete) {
      this.#clientIdleMs += timeouts.writeTimeout
      if (this.#clientIdleMs < CLIENT_TIMEOUT_MS) this.#awaitProgress()
      else this.#fail(CLIENT_TIMED_OUT, new Error('the client stopped sending its body'))
      return
    }
    if (this.#controller?.paused) this.#fail(CLIENT_TIMED_OUT, new Error('client stopped reading the response'))
    else this.#fail(UPSTREAM_TIMED_OUT, new Error('upstream made no progress'))
  }

  #fail(failure: Failure, error: Error): void {
    this.cancel(error)
    this.#o.receiver.onFailure(failure, error)
  }

  #finish(): void {
    this.#over = true
    this.#idle.stop()
    this.#o.waiting?.delete(this)
  }
}

function rawHeadersOf({ rawHeaders }: Dispatcher.DispatchController): readonly (Buffer | string)[] {
  return Array.isArray(rawHeaders) ? rawHeaders : []
}
