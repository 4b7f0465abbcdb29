import type { Socket } from 'node:net'
import type { Consumer } from '@tsmicro/kong-plugins/apikey-auth'
import type { Section } from '../config/section.ts'
import type { Vault } from '../config/vault.ts'
import type { BalancerFinder } from '../proxy/balancer-finder.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { Answer } from '../server/answer.ts'
import type { HeaderList } from '../server/header-list.ts'
import type { GatewayLog } from '../server/log.ts'

/** What a plugin sees of a request. One object a request: what a plugin knows of it may be kept in a WeakMap. */
export interface AccessRequest {
  /** All values of a field, one per occurrence; empty when it is absent. `name` in lower case. */
  headerValues(name: string): readonly string[]
  /** The client's x-request-id when it sent a usable one, the gateway's own id otherwise. */
  readonly requestId: string
  /** The gateway's own id: `x-kong-request-id`, and `request_id` in Kong's form of an error. */
  readonly gatewayRequestId: string
  readonly method: string
  /** Normalized; as it was sent where it cannot be. */
  readonly path: string
  /** As it was sent, without the query. */
  readonly sentPath: string
  /** The name of the service; undefined when no route matched. */
  readonly service: string | undefined
  /** The other end of the connection. */
  readonly clientAddress: string
  readonly socket: Socket
  /** Whose request it is, once a plugin has found out. A member: a WeakMap's entry per request is work for the garbage collector. */
  consumer?: Consumer
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
  /** What a request's body may be at most; a longer one is cut off with 413. Absent = no limit. */
  readonly maxBodyBytes?: number
  /** Whether it lets in only those who show something. */
  readonly guards?: boolean
  /** Whether it says which web pages may ask, so that nobody else has to. */
  readonly admitsPages?: boolean
  /** An answer ends the request; undefined lets it pass. */
  access(request: AccessRequest): Answer | undefined | Promise<Answer | undefined>
  /** Called when every plugin has let the request pass, in their order. If it throws, nothing is forwarded. */
  forward?(call: ForwardedCall, request: AccessRequest): void
  /**
   * Kong's header filter: may change the header fields of whatever is answered, be it by the upstream, the gateway or a plugin
   * before this one (whose `access` was not called then). Global ones are also asked where no route matched. If it throws, that
   * is logged and the answer goes out.
   */
  respond?(request: AccessRequest, headers: HeaderList): void
  /** Takes over what its predecessor in the config before a reload knows. Only for kinds with `perEntry`. */
  inherit?(predecessor: AccessPlugin): void
  close(): Promise<void>
}

export interface PluginEnvironment {
  readonly balancerOf: BalancerFinder
  readonly log: GatewayLog
  readonly vault: Vault
  /** API keys that are refused whatever a verifier says. */
  readonly revocations: Revocations
}

/** A kind of plugin. */
export interface PluginKind {
  readonly name: string
  /** Higher runs first, on Kong's scale (key-auth: 1250). */
  readonly priority: number
  /** Each entry of the config is a plugin of its own, as it counts for itself. Default: entries that are alike share one. */
  readonly perEntry?: boolean
  /** Reads the `config` (throwing `GatewayConfigError`) and makes the plugin ready. */
  configure(config: Section, environment: PluginEnvironment): AccessPlugin
}
