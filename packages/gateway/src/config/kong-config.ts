/** A plugin entry of `kong.yml`: one of those in `src/plugins/`. */
export interface KongPlugin {
  name: string
  config?: object
  /** Default: true. */
  enabled?: boolean
  tags?: string[]
}

/** A route of `kong.yml`: at least one of `paths`, `methods`, `hosts`. */
export interface KongRoute {
  name?: string
  /** Prefixes (`/blog`) or regular expressions anchored at the start (`~/blog/health$`). */
  paths?: string[]
  methods?: string[]
  /** Host names without a port; `*.example.com` and `example.*` are understood. */
  hosts?: string[]
  /** Default: http and https. A route for https only answers 426, as this gateway speaks http. */
  protocols?: string[]
  /** Default: true. */
  strip_path?: boolean
  /** Default: false. */
  preserve_host?: boolean
  /** Orders regular expressions among themselves, higher first. Default: 0. */
  regex_priority?: number
  /** Only Kong's default, v0. */
  path_handling?: 'v0'
  plugins?: KongPlugin[]
  tags?: string[]
}

/** A service of `kong.yml`: `url`, or `host` with `protocol`, `port` and `path`. Time-outs in milliseconds, default 60000. */
export interface KongService {
  name: string
  url?: string
  protocol?: 'http'
  host?: string
  /** Default: 80. */
  port?: number
  path?: string
  connect_timeout?: number
  write_timeout?: number
  read_timeout?: number
  /** Further attempts when no connection could be made. Default: 5. */
  retries?: number
  routes?: KongRoute[]
  plugins?: KongPlugin[]
  tags?: string[]
}

/** The DB-less declarative config of Kong 3, as far as this gateway runs it. */
export interface KongConfig {
  _format_version: '3.0'
  /** Not read: a place for the anchors that the rest uses. */
  _ignore?: unknown[]
  services?: KongService[]
  plugins?: KongPlugin[]
}
