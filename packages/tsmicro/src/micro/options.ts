import type { FastifyInstance } from 'fastify'
import type { AuthenticationProvider, AuthorizationProvider, EndpointLimits, Log } from '../call/index.ts'
import type { Pace, TakenEvent } from '../events/index.ts'
import type { HttpServerOptions } from '../http/index.ts'
import type { Module } from './module.ts'

export interface ServiceOptions {
  /** One word, the first token of the service's subjects, e.g. `blog`. */
  readonly name: string
  /** Semantic version, shown by `$SRV.INFO` and OpenAPI. */
  readonly version: string
  readonly description?: string
  /** SPDX identifier of its licence, e.g. `MIT`, for OpenAPI. */
  readonly license?: string
  readonly module: Module
  readonly log: Log
  readonly http?: Omit<HttpServerOptions, 'log' | 'limits'> & {
    /** Default 127.0.0.1: nothing is open to the network by default. */
    readonly host?: string
    /** Default 0: any free port. */
    readonly port?: number
    /** Where clients reach the service behind the gateway, e.g. `/blog`: OpenAPI then also shows what the gateway answers itself. */
    readonly publicPath?: string
  }
  /**
   * Prefixes of the subjects on which clients may listen for answers, in addition to `_INBOX`: for clients that set their own,
   * such as with `nats.CustomInboxPrefix` of nats.go. Requests with any other reply subject are not answered.
   */
  readonly inboxPrefixes?: readonly string[]
  /**
   * The limits of each endpoint at each of the two doors, unless it has its own; further requests are answered with OVERLOADED,
   * 503 with `retry-after`. Default: 256 at the same time, 1,024 waiting. Health probes are always answered.
   */
  readonly limits?: EndpointLimits
  /** Milliseconds that a handler may take unless its procedure has its own limit; also for event handlers. Default 10,000. */
  readonly handlerTimeoutMs?: number
  /** Milliseconds to wait for each dependency at start. Default 60,000. */
  readonly startTimeoutMs?: number
  /** Milliseconds for requests in progress to finish when the service stops. Default 10,000. */
  readonly drainTimeoutMs?: number
}

export interface Providers {
  readonly authentication: AuthenticationProvider | undefined
  readonly authorization: AuthorizationProvider | undefined
}

/** How a service differs in a test, where it does not listen on a port; everything else is as in production. */
export interface TestHooks {
  /** Replaces the providers of the module and of each controller. */
  readonly providersOf: (own: Providers) => Providers
  readonly onTaken: (event: TakenEvent) => void
  /** How events are consumed. */
  readonly pace?: Partial<Pace>
  /** Called with the HTTP server before anything is mounted. */
  readonly onServer?: (server: FastifyInstance) => void
}
