import type { HeaderPattern } from '../routing/patterns.ts'
import type { Section } from './section.ts'

/** A plugin entry as written. Its `config` is read by the plugin itself when the gateway starts. */
export interface PluginEntry {
  readonly name: string
  readonly enabled: boolean
  readonly config: Section
  /** `instance_name`, which has to be unique. */
  readonly instance: string | undefined
  readonly place: string
}

export interface RouteConfig {
  readonly name: string
  /** Its own id, or the one that Kong derives from the name; undefined without either. */
  readonly id: string | undefined
  readonly paths: readonly string[] | undefined
  readonly methods: readonly string[] | undefined
  readonly hosts: readonly string[] | undefined
  readonly headers: readonly HeaderPattern[] | undefined
  readonly protocols: readonly string[]
  /** What a route for https only answers to requests over http: 426, or the status of a redirect. */
  readonly httpsRedirectStatus: number
  readonly stripPath: boolean
  readonly preserveHost: boolean
  readonly regexPriority: number
  readonly plugins: readonly PluginEntry[]
  readonly place: string
}

/** Time-outs in milliseconds. */
export interface ServiceConfig {
  readonly name: string
  /** If false, its routes match nothing. */
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
  /** Its share of the requests; 0 for none. */
  readonly weight: number
  readonly place: string
}

/** How many observations in a row change a target's state (0 for never), and how statuses count. */
export interface Thresholds {
  readonly healthyStatuses: ReadonlySet<number>
  readonly unhealthyStatuses: ReadonlySet<number>
  readonly success: number
  readonly httpFailure: number
  readonly tcpFailure: number
  readonly timeout: number
}

export interface ActiveChecksConfig {
  readonly path: string
  readonly timeoutMs: number
  /** How often healthy targets are probed, in milliseconds; 0 for never. */
  readonly healthyIntervalMs: number
  readonly unhealthyIntervalMs: number
  readonly thresholds: Thresholds
}

export interface HealthChecks {
  /** The percentage of the weight that must be healthy for any request to be forwarded. */
  readonly threshold: number
  readonly active: ActiveChecksConfig
  /** Checks of the answers to ordinary requests. */
  readonly passive: Thresholds
}

export interface UpstreamConfig extends HealthChecks {
  readonly name: string
  /** The Host header for its targets; undefined for the name of each. */
  readonly hostHeader: string | undefined
  readonly targets: readonly TargetConfig[]
}

export interface GatewayConfig {
  readonly services: readonly ServiceConfig[]
  readonly upstreams: readonly UpstreamConfig[]
  readonly plugins: readonly PluginEntry[]
}
