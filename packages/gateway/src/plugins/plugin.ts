import type { Section } from '../config/section.ts'
import type { BalancerFinder } from '../proxy/balancer-finder.ts'
import type { Answer } from '../server/answer.ts'
import type { GatewayLog } from '../server/log.ts'

/** What a plugin sees of a request. */
export interface AccessRequest {
  /** All values of a field, one per occurrence; empty when it is absent. `name` in lower case. */
  headerValues(name: string): readonly string[]
  /** The client's x-request-id when it sent a usable one, the gateway's own id otherwise. */
  readonly requestId: string
}

/** A configured plugin. It decides before the upstream is contacted; if it throws, the request is refused with 500. */
export interface AccessPlugin {
  /** Header names, in lower case, that the upstream must not see. */
  readonly hiddenHeaders: readonly string[]
  /** An answer ends the request; undefined lets it pass. */
  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined>
  close(): Promise<void>
}

export interface PluginEnvironment {
  readonly balancerOf: BalancerFinder
  readonly log: GatewayLog
}

/** A kind of plugin. */
export interface PluginKind {
  readonly name: string
  /** Higher runs first, on Kong's scale (key-auth: 1250). */
  readonly priority: number
  /** Reads the `config` (throwing `GatewayConfigError`) and makes the plugin ready. */
  configure(config: Section, environment: PluginEnvironment): AccessPlugin
}
