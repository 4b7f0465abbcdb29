import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Waiting } from '../balancing/balancer.ts'
import {
  BROKEN_RESPONSE,
  CLIENT_TIMED_OUT,
  type Failure,
  failureOf,
  UPSTREAM_FROZEN,
  UPSTREAM_TIMED_OUT,
} from '../balancing/failure.ts'
import type { ServiceConfig } from '../config/model.ts'
import { CLIENT_TIMEOUT_MS } from '../server/limits.ts'
import type { SlotList } from '../server/slot-list.ts'
import { IdleTimer } from './idle-timer.ts'

export interface AttemptOptions {
  readonly req: IncomingMessage
  readonly body: Readable | undefined
  readonly timeouts: Pick<ServiceConfig, 'readTimeout' | 'writeTimeout'>
  readonly receiver: Receiver
  /** The list of requests that are told if the target is frozen. */
  readonly waiting: SlotList<Waiting> | undefined
}

/** Receives the response. After `onEnd`, `onUpgrade` or `onFailure`, nothing more is called. */
export interface Receiver {
  onResponse(status: number, rawHeaders: readonly (Buffer | string)[]): void
  /** Returns false to pause until `resume`. */
  onData(chunk: Buffer): boolean
  onEnd(): void
  /** The upstream has switched to the requested protocol. The receiver now owns the connection. */
  onUpgrade(rawHeaders: readonly (Buffer | string)[], socket: Duplex): void
  onFailure(failure: Failure, error: Error): void
}

/** One attempt at a target: sends the request, receives the response, and limits the time for both. */
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

  /** Whether a connection has taken the request, so that some of it may have been sent. */
  get sent(): boolean {
    return this.#controller !== undefined
  }

  /** Called when the client reads again. */
  resume(): void {
    this.#awaitProgress()
    this.#controller?.resume()
  }

  /** Has no effect on an answer that has begun: it may already be complete, and has its own time-out. */
  onFrozen(): void {
    if (!this.#over && !this.#answered)
      this.#fail(UPSTREAM_FROZEN, new Error('the upstream does not answer health checks'))
  }

  /** Gives up without calling the receiver. */
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
    // A 101 without the fields of an upgrade is not a valid response.
    if (status === 101) this.#fail(BROKEN_RESPONSE, new Error('the upstream sent a 101 without a protocol'))
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
    // undici no longer handles errors of this socket.
    socket.on('error', () => {})
    if (over || headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.destroy()
      if (!over) this.#o.receiver.onFailure(BROKEN_RESPONSE, new Error('the upstream switched to another protocol'))
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
    // The connection may still report progress of an attempt that is over, and a new timer would outlive it.
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
