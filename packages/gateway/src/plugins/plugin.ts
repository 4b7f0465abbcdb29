import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Consumer } from '@tsmicro/kong-plugins/apikey-auth'
import { isRequestId } from '@tsmicro/kong-plugins/shared'
import type { BalancerFinder } from '../balancing/upstream.ts'
import type { Section } from '../config/section.ts'
import type { Vault } from '../config/vault.ts'
import type { Answer } from '../server/answer.ts'
import { type HeaderList, headerValues } from '../server/header-fields.ts'
import type { GatewayLog } from '../server/log.ts'
import { clientAddress, requestTarget } from '../server/request-target.ts'
import type { Revocations } from './apikey-auth/revocations.ts'

/** A request as plugins see it. There is one object per request, so plugins may keep what they know about it in a WeakMap. */
export class AccessRequest {
  /** The gateway's own id: `x-kong-request-id`, and `request_id` in Kong's form of an error. */
  readonly gatewayRequestId: string
  /** Normalized; as sent if it cannot be normalized. */
  readonly path: string
  /** The name of the service; undefined if no route matched. */
  readonly service: string | undefined
  /** Whose request it is, set by the plugin that found out. A WeakMap entry per request would cost the garbage collector more. */
  consumer?: Consumer
  readonly #req: IncomingMessage

  constructor(req: IncomingMessage, gatewayRequestId: string, path: string, service: string | undefined) {
    this.#req = req
    this.gatewayRequestId = gatewayRequestId
    this.path = path
    this.service = service
  }

  get method(): string {
    return this.#req.method ?? ''
  }

  /** The client's x-request-id if it is usable, otherwise the gateway's own id. */
  get requestId(): string {
    const value = this.#req.headers['x-request-id']
    return typeof value === 'string' && isRequestId(value) ? value : this.gatewayRequestId
  }

  /** The path as sent, without the query. */
  get sentPath(): string {
    const url = this.#req.url ?? ''
    if (!url.startsWith('/')) return requestTarget(this.#req)?.rawPath ?? ''
    const mark = url.indexOf('?')
    return mark === -1 ? url : url.slice(0, mark)
  }

  get clientAddress(): string {
    return clientAddress(this.#req)
  }

  get socket(): Socket {
    return this.#req.socket
  }

  /** All values of a field, one per occurrence; empty if it is absent. `name` in lower case. */
  headerValues(name: string): readonly string[] {
    return headerValues(this.#req.rawHeaders, name)
  }
}

/** A request as it goes to the service. Plugins may change what is not read-only. */
export interface ForwardedCall {
  readonly method: string
  /** As in the request line, without the query. */
  path: string
  /** With its `?`; empty without one. */
  readonly query: string
  /** Name, value, name, value …; without Host, which depends on the target that is chosen later. */
  readonly headers: string[]
}

/** A configured plugin. */
export interface AccessPlugin {
  /** Header names, in lower case, that the upstream must not see. */
  readonly hiddenHeaders?: readonly string[]
  /** The longest request body allowed; longer ones are cut off with 413. Default: no limit. */
  readonly maxBodyBytes?: number
  /** The credentials that it requires, in words that complete `needs …`. Plugins with the same words let in the same requests. */
  readonly guards?: string
  /** Whether it decides which web pages may call the route, so that the gateway does not. */
  readonly admitsPages?: boolean
  /**
   * Called before the upstream is contacted. An answer ends the request; undefined lets it pass. If it throws, the request is
   * refused with 500.
   */
  access?(request: AccessRequest): Answer | undefined | Promise<Answer | undefined>
  /** Called in the order of the plugins, once all of them have let the request pass. If it throws, nothing is forwarded. */
  forward?(call: ForwardedCall, request: AccessRequest): void
  /**
   * Kong's header filter: may change the header fields of any answer, whether from the upstream, the gateway or an earlier plugin
   * (in which case this plugin's `access` was not called). Global plugins are also called when no route matched. If it throws,
   * the error is logged and the answer is sent.
   */
  respond?(request: AccessRequest, headers: HeaderList): void
  /** Takes over the state of the same entry before a reload. Only for kinds with `perEntry`. */
  inherit?(predecessor: AccessPlugin): void
  close?(): Promise<void>
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
  /** Whether each entry of the config is a plugin with its own state. Default: equal entries share one plugin. */
  readonly perEntry?: boolean
  /** Reads the `config` and makes the plugin ready. Throws `GatewayConfigError`. */
  configure(config: Section, environment: PluginEnvironment): AccessPlugin
}
