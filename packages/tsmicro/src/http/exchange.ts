import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CallerGoneError, type DoorContext, type Log } from '../call/index.ts'
import type { Problems } from '../schema/index.ts'
import { atEndOfTurn } from './end-of-turn.ts'

/** Where requests and responses hold their exchange. A property costs much less than a WeakMap, whose entries burden the garbage collector. */
const EXCHANGE = Symbol('tsmicro.exchange')

declare module 'fastify' {
  interface FastifyRequest {
    [EXCHANGE]: Exchange
  }
}
interface Response extends ServerResponse {
  [EXCHANGE]: Exchange
}

/** nginx's status for a client that left before it was answered. Never sent. */
const CLIENT_GONE = 499

/** What the door knows about one request beside Fastify. */
export class Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly config: FastifyContextConfig
  /** Of the route; undefined if there is none. */
  readonly url: string | undefined
  /** The gateway has signed it. */
  signed = false
  /** The call of a procedure. */
  context: DoorContext | undefined
  /** What is wrong with its body beside what its schema says. */
  unseen: Problems | undefined
  /** Its body, if nobody has read it. */
  body: Readable | undefined
  /** What the access log adds to its line. */
  notes: object | undefined
  // Fastify's own `elapsedTime` is 0 without a logger or an `onResponse` hook.
  readonly #startedAt = performance.now()
  readonly #log: Log
  #answer: unknown

  /** The only listener for the end of the response: a closure for each purpose would cost more than the purpose. */
  constructor(request: FastifyRequest, reply: FastifyReply, log: Log) {
    // A getter of Fastify, which makes an object each time.
    const { config, url } = request.routeOptions
    this.request = request
    this.reply = reply
    this.config = config
    this.url = url
    this.#log = log
    request[EXCHANGE] = this
    const raw = reply.raw as Response
    raw[EXCHANGE] = this
    raw.on('close', onClose)
  }

  /** Sends the body of an answer, or the error that its promise rejects with, together with all other answers of this turn. */
  send(body: unknown): void {
    if (body instanceof Promise)
      return void body.then(
        each => this.send(each),
        error => this.send(error),
      )
    this.#answer = body
    atEndOfTurn(this)
  }

  endTurn(): void {
    const { reply } = this
    // By a plugin, for example because it has waited long enough.
    if (reply.sent) return
    try {
      reply.send(this.#answer)
    } catch (error) {
      reply.send(error)
    }
  }

  /** Logs one line, not in `onResponse`, which Fastify skips for clients that left. Ends the call if nobody takes its answer. */
  close(): void {
    const { url, request, reply, context } = this
    const { raw } = reply
    const ms = Math.round((performance.now() - this.#startedAt) * 10) / 10
    const status = raw.writableFinished ? reply.statusCode : isUpgraded(request, reply) ? 101 : CLIENT_GONE
    const line = { requestId: request.id, method: request.method, route: url, status, ms }
    const whole = this.notes ? { ...line, ...this.notes } : line
    // Probes come every few seconds and would bury everything else.
    if (url?.startsWith('/health')) this.#log.debug(whole, 'request')
    else this.#log.info(whole, 'request')
    if (raw.writableFinished) context?.deadline[Symbol.dispose]()
    else context?.deadline.cancel(new CallerGoneError())
  }
}

function onClose(this: ServerResponse): void {
  ;(this as Response)[EXCHANGE].close()
}

/** A WebSocket plugin answers on the socket itself. */
function isUpgraded({ headers }: FastifyRequest, reply: FastifyReply): boolean {
  return headers.upgrade !== undefined && reply.sent && !reply.raw.headersSent
}

/** Lets every request of a server have an exchange: all have one shape from the start. */
export function decorateExchanges(server: FastifyInstance): void {
  server.decorateRequest(EXCHANGE as unknown as string, null)
}

export function exchangeOf(request: FastifyRequest): Exchange {
  return request[EXCHANGE]
}
