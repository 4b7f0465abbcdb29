import type { Section } from './section.ts'

/** A plugin entry as written; its `config` is read by the plugin itself when the gateway starts. */
export interface PluginEntry {
  readonly name: string
  readonly enabled: boolean
  readonly config: Section
  readonly place: string
}

export interface RouteConfig {
  readonly name: string
  readonly paths: readonly string[] | undefined
  readonly methods: readonly string[] | undefined
  readonly hosts: readonly string[] | undefined
  readonly protocols: readonly string[]
  readonly stripPath: boolean
  readonly preserveHost: boolean
  readonly regexPriority: number
  readonly plugins: readonly PluginEntry[]
  readonly place: string
}

/** All time-outs in milliseconds. */
export interface ServiceConfig {
  readonly name: string
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

export interface GatewayConfig {
  readonly services: readonly ServiceConfig[]
  readonly plugins: readonly PluginEntry[]
}
