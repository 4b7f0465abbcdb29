import type { EndpointLimits, Log } from '../call/index.ts'
import type { HttpServerOptions } from '../http/index.ts'
import type { Module } from './module.ts'

export interface ServiceOptions {
  /** One word, the first token of its subjects, e.g. `blog`. */
  readonly name: string
  /** Semantic version, shown by `$SRV.INFO` and OpenAPI. */
  readonly version: string
  readonly description?: string
  readonly module: Module
  readonly log: Log
  readonly http?: Omit<HttpServerOptions, 'log' | 'limits'> & {
    /** Default 127.0.0.1: nothing is open to the network unless somebody says so. */
    readonly host?: string
    /** Default 0: any free port. */
    readonly port?: number
    /** Where clients reach the service behind the gateway, for OpenAPI, e.g. `/blog`. */
    readonly publicPath?: string
  }
  /**
   * First characters of the subjects on which clients listen for answers, beside `_INBOX`: for those that set their own, such as
   * `nats.CustomInboxPrefix` of nats.go. To any other subject nothing is answered.
   */
  readonly inboxPrefixes?: readonly string[]
  /**
   * How much each endpoint takes at each of the two doors, unless it says so itself; more is answered OVERLOADED, 503 with
   * `retry-after`. Default 256 at the same time, 1,024 waiting. Health probes are always answered.
   */
  readonly limits?: EndpointLimits
  /** Milliseconds a handler may take unless its procedure says otherwise; also a handler of events. Default 10,000. */
  readonly handlerTimeoutMs?: number
  /** Milliseconds to wait for each dependency at start. Default 60,000. */
  readonly startTimeoutMs?: number
  /** Milliseconds that requests in progress get to finish when stopping. Default 10,000. */
  readonly drainTimeoutMs?: number
}
