/** Fields that any entry of `kong.yml` may have. Only a route's `id` matters here: it orders routes of equal priority. */
interface KongEntity {
  /** A UUID. Kong derives one from the name if it is missing. */
  id?: string
  tags?: string[]
  _comment?: string
  _ignore?: unknown[]
}

/** A plugin entry of `kong.yml`, for one of the plugins in `src/plugins/`. */
export interface KongPlugin extends KongEntity {
  name: string
  config?: object
  /** Default: true. */
  enabled?: boolean
  instance_name?: string
  /** Must include http. */
  protocols?: string[]
}

/** A route of `kong.yml`: at least one of `paths`, `methods`, `hosts`, `headers`. */
export interface KongRoute extends KongEntity {
  name?: string
  /** Prefixes (`/blog`) or regular expressions anchored at the start (`~/blog/health$`). */
  paths?: string[]
  methods?: string[]
  /** Host names, `*.example.com` or `example.*`; any but the last with an optional port. */
  hosts?: string[]
  /** Values of header fields, case-insensitive; one that starts with `~*` is a regular expression. Every name must match with one of its values. */
  headers?: Record<string, string[]>
  /** Default: http and https. A route for https only answers 426, because this gateway speaks http. */
  protocols?: string[]
  /** What a route for https only answers: 426 (default), 301, 302, 307 or 308. */
  https_redirect_status_code?: number
  /** Default: true. */
  strip_path?: boolean
  /** Default: false. */
  preserve_host?: boolean
  /** Orders the regular expressions, higher first. Default: 0. */
  regex_priority?: number
  /** Only Kong's default, v0, is supported. */
  path_handling?: 'v0'
  /** Bodies are streamed. */
  request_buffering?: false
  response_buffering?: false
  plugins?: KongPlugin[]
}

/** A service of `kong.yml`: `url`, or `host` with `protocol`, `port` and `path`. Time-outs are in milliseconds, by default 60000. */
export interface KongService extends KongEntity {
  name: string
  /** Default: true. The routes of a disabled service match nothing. */
  enabled?: boolean
  url?: string
  protocol?: 'http'
  host?: string
  /** Default: 80. */
  port?: number
  path?: string
  connect_timeout?: number
  write_timeout?: number
  read_timeout?: number
  /** Further attempts after a failed one, if possible on other targets. Default: 5. */
  retries?: number
  routes?: KongRoute[]
  plugins?: KongPlugin[]
}

/** How many results in a row make a target healthy. 0, the default everywhere, means never. */
interface KongHealthy {
  http_statuses?: number[]
  successes?: number
}

interface KongUnhealthy {
  http_statuses?: number[]
  http_failures?: number
  tcp_failures?: number
  timeouts?: number
}

/** Times in seconds. */
export interface KongHealthChecks {
  active?: {
    type?: 'http'
    http_path?: string
    /** Default: 1. */
    timeout?: number
    healthy?: KongHealthy & { interval?: number }
    unhealthy?: KongUnhealthy & { interval?: number }
  }
  passive?: { type?: 'http'; healthy?: KongHealthy; unhealthy?: KongUnhealthy }
  /** The percentage of the weight that must be healthy. Default: 0. */
  threshold?: number
}

/** A target of an upstream: `host:port`. */
export interface KongTarget extends KongEntity {
  target: string
  /** Default: 100. A target with 0 gets no requests. */
  weight?: number
}

/** Several targets for the services that have this name as their host. */
interface KongUpstream extends KongEntity {
  name: string
  algorithm?: 'round-robin'
  hash_on?: 'none'
  hash_fallback?: 'none'
  use_srv_name?: false
  /** Without effect: weights are exact. */
  slots?: number
  /** The Host header for its targets, unless the route preserves the client's. Default: the name of each target. */
  host_header?: string
  targets?: KongTarget[]
  healthchecks?: KongHealthChecks
}

/** The part of Kong 3's DB-less declarative config that this gateway supports. */
export interface KongConfig {
  _format_version: '3.0' | '2.1'
  /** Ignored: a place for YAML anchors. */
  _ignore?: unknown[]
  _comment?: string
  services?: KongService[]
  upstreams?: KongUpstream[]
  /** Targets outside of their upstream, which they name. */
  targets?: (KongTarget & { upstream: string })[]
  plugins?: KongPlugin[]
}
