import type { Environment } from '../config/secret.ts'
import type { Section } from '../config/section.ts'
import type { BalancerFinder } from '../proxy/balancer-finder.ts'
import type { Answer } from '../server/answer.ts'
import type { GatewayLog } from '../server/log.ts'

/** What a plugin sees of a request. */
export interface AccessRequest {
  /** All values of a field, one per occurrence; empty when it is absent. `name` in lower case. */
  valuesOf(this: void, name: string): readonly string[]
  /** As the client sent it, without the query. */
  readonly path: string
  /** Sends a header field along, if every plugin lets the request pass; in this order, before `forward`. */
  tellService(this: void, name: string, value: string): void
  /** The client's x-request-id when it sent a usable one, the gateway's own id otherwise. */
  readonly requestId: string
}

/** A request as it goes to the service; plugins may change what is not read-only. */
export interface ForwardedCall {
  readonly method: string
  /** As in the request line, without the query. */
  path: string
  /** With its `?`; empty when there is none. */
  readonly query: string
  /** Name, value, name, value …; without Host, which depends on the target that is chosen later. */
  readonly headers: string[]
}

/** A configured plugin. It decides before the upstream is contacted; if it throws, the request is refused with 500. */
export interface AccessPlugin {
  /** Header names, in lower case, that the upstream must not see. */
  readonly hiddenHeaders: readonly string[]
  /** An answer ends the request; undefined lets it pass. */
  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined>
  /** Called when every plugin has let the request pass, in their order. If it throws, nothing is forwarded. */
  forward?(call: ForwardedCall): void
  close(): Promise<void>
}

export interface PluginEnvironment {
  readonly balancerOf: BalancerFinder
  readonly log: GatewayLog
  readonly env: Environment
}

/** A kind of plugin. */
export interface PluginKind {
  readonly name: string
  /** Higher runs first, on Kong's scale (key-auth: 1250). */
  readonly priority: number
  /** Reads the `config` (throwing `GatewayConfigError`) and makes the plugin ready. */
  configure(config: Section, environment: PluginEnvironment): AccessPlugin
}
