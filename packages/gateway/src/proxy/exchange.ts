import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { atEndOfTurn, type Deferred } from 'tsmicro/internal/end-of-turn'
import type { Target } from '../balancing/balancer.ts'
import { codeOf, type Failure, isIdempotent, mayRetry, NO_TARGET } from '../balancing/failure.ts'
import { type Answer, kongError, nginxError, type RequestIdentity, sendAnswer } from '../server/answer.ts'
import { hasBody } from '../server/in-flight.ts'
import type { GatewayLog } from '../server/log.ts'
import type { UpgradeSocket } from '../server/upgrade.ts'
import { Attempt, type Receiver } from './attempt.ts'
import { clientResponseHeaders, type Latencies, latencyFields, switchingHeaders } from './headers.ts'
import { RequestBody } from './request-body.ts'
import type { Backend } from './table.ts'
import { Tunnel } from './tunnel.ts'

/** A request that the gateway has received. */
export interface Incoming {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The client's connection, if the request is a WebSocket handshake. */
  readonly upgrade: UpgradeSocket | undefined
  readonly request: RequestIdentity
  readonly log: GatewayLog
}

export interface ExchangeOptions extends Incoming {
  readonly backend: Backend
  readonly path: string
  /** Name, value, name, value … without Host. */
  readonly headers: readonly string[]
  /** The Host header; undefined for the target's own. */
  readonly host: string | undefined
  /** Longer bodies are cut off. */
  readonly maxBodyBytes: number
}

/** Longer pieces are not copied. */
const HELD_BYTES = 8 * 1024

/**
 * Streams one request to an upstream and the response back; if a target fails, it tries another one.
 *
 * It uses undici's dispatch interface, so there is no promise, stream object or AbortSignal per request. `npm run bench -- gateway`
 * measures it; docs/benchmarks.md shows where the time goes.
 */
export class Exchange implements Receiver, Deferred {
  readonly #o: ExchangeOptions
  readonly #method: string
  readonly #body: RequestBody | undefined
  readonly #tried = new Set<Target>()
  readonly #dispatchedAt = performance.now()
  #target: Target | undefined
  #attempt: Attempt | undefined
  #attempts = 0
  /** The first piece of the answer's body, while it may be the only one. */
  #held: Buffer | undefined
  #flushed = false
  #over = false

  constructor(options: ExchangeOptions) {
    this.#o = options
    const { req, res, maxBodyBytes } = options
    this.#method = req.method ?? 'GET'
    this.#body = hasBody(req)
      ? new RequestBody(req, {
          keep: isIdempotent(this.#method),
          maxBytes: maxBodyBytes,
          onFirstRead: () => continueIfAsked(req, res),
          isAnswered: () => this.#over,
        })
      : undefined
    // Never removed: that costs more than checking whether the exchange is over.
    res.on('close', () => this.#onClosed())
    // A body in the same packet as its header fields has arrived once that packet has been read.
    if (this.#body === undefined) this.#start()
    else queueMicrotask(() => this.#start())
  }

  onResponse(status: number, rawHeaders: readonly (Buffer | string)[]): void {
    const { res, backend, request } = this.#o
    if (this.#target !== undefined) backend.balancer.answered(this.#target, status)
    const headers = clientResponseHeaders(rawHeaders, this.#latencies())
    request.respond?.(headers)
    res.writeHead(status, headers)
    queueMicrotask(() => this.#flush())
  }

  onData(chunk: Buffer): boolean {
    if (!this.#flushed && this.#held === undefined && chunk.length <= HELD_BYTES) {
      this.#held = chunk
      return true
    }
    this.#flush()
    if (this.#o.res.write(chunk)) return true
    this.#o.res.once('drain', () => this.#attempt?.resume())
    return false
  }

  onEnd(): void {
    this.#over = true
    if (this.#flushed) this.endTurn()
    else atEndOfTurn(this)
  }

  /** Sends the rest of the answer, which may be all of it. */
  endTurn(): void {
    const { res } = this.#o
    if (this.#held === undefined) res.end()
    // A string is written into one buffer with the header fields.
    else res.end(this.#held.toString('latin1'), 'latin1')
    this.#held = undefined
    this.#flushed = true
  }

  onUpgrade(rawHeaders: readonly (Buffer | string)[], socket: Duplex): void {
    const { res, backend, upgrade, request, log } = this.#o
    if (upgrade === undefined) throw new TypeError('the request did not ask for another protocol')
    this.#over = true
    if (this.#target !== undefined) backend.balancer.answered(this.#target, 101)
    // Never ended: the response represents the connection wherever open requests are counted.
    const headers = switchingHeaders(rawHeaders, this.#latencies())
    request.respond?.(headers)
    res.writeHead(101, headers).flushHeaders()
    new Tunnel({
      client: upgrade.take(),
      upstream: socket,
      timeouts: backend.service,
      onTimeout: reason =>
        log.warn({ service: backend.service.name, requestId: request.id }, `WebSocket cut off: ${reason}`),
    })
  }

  onFailure(failure: Failure, error: Error): void {
    const { backend, res } = this.#o
    if (this.#target !== undefined && failure.target !== undefined)
      backend.balancer.failed(this.#target, failure.target)
    const again = mayRetry({
      failure,
      method: this.#method,
      sent: this.#attempt?.sent ?? false,
      answered: res.headersSent,
      attemptsLeft: backend.service.retries + 1 - this.#attempts,
      bodyIsWhole: this.#body?.isWhole ?? true,
      otherTarget: backend.balancer.hasOther(this.#tried),
    })
    if (!again || !this.#tryNext()) this.#fail(failure, error)
  }

  #latencies(): Latencies {
    const { request } = this.#o
    return {
      requestId: request.id,
      proxyMs: this.#dispatchedAt - request.startedAt,
      upstreamMs: performance.now() - this.#dispatchedAt,
    }
  }

  #start(): void {
    if (this.#over) return
    this.#body?.takeWhole()
    if (!this.#tryNext()) this.#fail(NO_TARGET, new Error('no target is healthy'))
  }

  /** Returns false if no target is left to try. */
  #tryNext(): boolean {
    const { req, backend, path, headers, host } = this.#o
    const target = backend.balancer.pick(this.#tried)
    if (target === undefined) return false
    this.#target = target
    this.#tried.add(target)
    this.#attempts += 1
    const whole = this.#body?.whole
    const stream = whole === undefined ? this.#body?.open() : undefined
    const waiting = backend.balancer.waitingFor(target)
    const attempt = new Attempt({ req, body: stream, timeouts: backend.service, receiver: this, waiting })
    this.#attempt = attempt
    const sent = ['host', host ?? target.hostHeader, ...headers]
    const upgrade = this.#o.upgrade === undefined ? null : 'websocket'
    const body = whole ?? stream ?? null
    backend.pools.to(target).dispatch({ path, method: this.#method, headers: sent, body, upgrade }, attempt)
    return true
  }

  #fail(failure: Failure, error: Error): void {
    const { res, request, backend, log } = this.#o
    this.#over = true
    const fields = {
      service: backend.service.name,
      requestId: request.id,
      code: codeOf(error),
      attempts: this.#attempts,
      ...(this.#target && { target: this.#target.name }),
    }
    if (res.headersSent) {
      // If the response was ended instead, it would look complete.
      log.warn(fields, `response cut off: ${error.message}`)
      res.destroy()
      return
    }
    log.warn({ ...fields, status: failure.status }, `upstream failed: ${error.message}`)
    sendAnswer(res, this.#answerFor(failure), request)
  }

  /** An answer of the nginx in Kong tells how long the upstream took, that of Kong's balancer does not. */
  #answerFor({ status, message, byKong }: Failure): Answer {
    if (byKong) return kongError(status, message)
    return nginxError(status, message, status >= 502 ? latencyFields(this.#latencies()) : {})
  }

  /**
   * Sends what has arrived of an answer, once the upstream's packet has been read. A small body in the same packet as its header fields
   * has ended by then, and is sent with them in a single write. A later body must not delay the header fields.
   */
  #flush(): void {
    if (this.#flushed || this.#over) return
    this.#flushed = true
    const { res } = this.#o
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) res.write(held)
    else if (!res.writableEnded) res.flushHeaders()
  }

  #onClosed(): void {
    if (this.#over) return
    this.#over = true
    this.#attempt?.cancel(new Error('the client went away'))
  }
}

function continueIfAsked(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.expect !== undefined && !res.headersSent) res.writeContinue()
}
