import type { HeaderPattern } from '../routing/header-pattern.ts'
import type { Section } from './section.ts'

/** A plugin entry as written; its `config` is read by the plugin itself when the gateway starts. */
export interface PluginEntry {
  readonly name: string
  readonly enabled: boolean
  readonly config: Section
  /** `instance_name`, of which there is one each. */
  readonly instance: string | undefined
  readonly place: string
}

export interface RouteConfig {
  readonly name: string
  /** Its own, or Kong's, which is made of the name; undefined when it has neither. */
  readonly id: string | undefined
  readonly paths: readonly string[] | undefined
  readonly methods: readonly string[] | undefined
  readonly hosts: readonly string[] | undefined
  readonly headers: readonly HeaderPattern[] | undefined
  readonly protocols: readonly string[]
  /** What a request over http gets from a route for https only: 426, or the status of a redirection. */
  readonly httpsRedirectStatus: number
  readonly stripPath: boolean
  readonly preserveHost: boolean
  readonly regexPriority: number
  readonly plugins: readonly PluginEntry[]
  readonly place: string
}

/** All time-outs in milliseconds. */
export interface ServiceConfig {
  readonly name: string
  /** Its routes match nothing when it is not. */
  readonly enabled: boolean
  readonly host: string
  readonly port: number
  readonly path: string
  readonly connectTimeout: number
  readonly writeTimeout: number
  readonly readTimeout: number
  /** Further attempts after a failed one. */
  readonly retries: number
  readonly routes: readonly RouteConfig[]
  readonly plugins: readonly PluginEntry[]
}

export interface TargetConfig {
  readonly host: string
  readonly port: number
  /** Its share of the requests; 0 is none. */
  readonly weight: number
  readonly place: string
}

/** How many in a row change a target's state, 0 being never; and which statuses count as what. */
export interface Thresholds {
  readonly healthyStatuses: ReadonlySet<number>
  readonly unhealthyStatuses: ReadonlySet<number>
  readonly success: number
  readonly httpFailure: number
  readonly tcpFailure: number
  readonly timeout: number
}

export interface ActiveChecks {
  readonly path: string
  readonly timeoutMs: number
  /** How often healthy targets are asked, in milliseconds; 0 is never. */
  readonly healthyIntervalMs: number
  readonly unhealthyIntervalMs: number
  readonly thresholds: Thresholds
}

export interface HealthChecks {
  /** Per cent of the weight that must be healthy for any request to be forwarded. */
  readonly threshold: number
  readonly active: ActiveChecks
  /** What the requests themselves show. */
  readonly passive: Thresholds
}

export interface UpstreamConfig extends HealthChecks {
  readonly name: string
  /** The Host header of its targets; undefined = the name of each. */
  readonly hostHeader: string | undefined
  readonly targets: readonly TargetConfig[]
}

export interface GatewayConfig {
  readonly services: readonly ServiceConfig[]
  readonly upstreams: readonly UpstreamConfig[]
  readonly plugins: readonly PluginEntry[]
}
