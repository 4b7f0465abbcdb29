import type { FastifyInstance } from 'fastify'
import type { AuthenticationProvider, AuthorizationProvider } from '../call/index.ts'
import type { TakenEvent } from '../events/index.ts'

export interface Providers {
  readonly authentication: AuthenticationProvider | undefined
  readonly authorization: AuthorizationProvider | undefined
}

/** What is different about a service on the bench of a test; everything else is as in production. */
export interface Bench {
  /** Nothing listens: requests come by `inject` alone. */
  readonly port: 'none'
  /** In place of the module's providers, and of each controller's. */
  readonly providersOf: (own: Providers) => Providers
  readonly onTaken: (event: TakenEvent) => void
  /** Called with the HTTP server before anything is mounted. */
  readonly onServer?: (server: FastifyInstance) => void
}
