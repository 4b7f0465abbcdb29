/** What any entry of `kong.yml` may carry. Of this, only a route's `id` has a meaning here: it orders routes of equal priority. */
interface KongEntity {
  /** A UUID. Kong makes one of the name where it is missing. */
  id?: string
  tags?: string[]
  _comment?: string
  _ignore?: unknown[]
}

/** A plugin entry of `kong.yml`: one of those in `src/plugins/`. */
export interface KongPlugin extends KongEntity {
  name: string
  config?: object
  /** Default: true. */
  enabled?: boolean
  instance_name?: string
  /** http must be among them. */
  protocols?: string[]
}

/** A route of `kong.yml`: at least one of `paths`, `methods`, `hosts`, `headers`. */
export interface KongRoute extends KongEntity {
  name?: string
  /** Prefixes (`/blog`) or regular expressions anchored at the start (`~/blog/health$`). */
  paths?: string[]
  methods?: string[]
  /** Host names; `*.example.com` and `example.*` are understood, and a port after any. */
  hosts?: string[]
  /** Values of header fields, whatever their case; `~*` in front makes one a regular expression. All names must match, with one value each. */
  headers?: Record<string, string[]>
  /** Default: http and https. A route for https only answers 426, as this gateway speaks http. */
  protocols?: string[]
  /** What such a route answers: 426 (default), 301, 302, 307 or 308. */
  https_redirect_status_code?: number
  /** Default: true. */
  strip_path?: boolean
  /** Default: false. */
  preserve_host?: boolean
  /** Orders regular expressions among themselves, higher first. Default: 0. */
  regex_priority?: number
  /** Only Kong's default, v0. */
  path_handling?: 'v0'
  /** Bodies are streamed. */
  request_buffering?: false
  response_buffering?: false
  plugins?: KongPlugin[]
}

/** A service of `kong.yml`: `url`, or `host` with `protocol`, `port` and `path`. Time-outs in milliseconds, default 60000. */
export interface KongService extends KongEntity {
  name: string
  /** Default: true. The routes of one that is not match nothing. */
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
  /** Further attempts, if possible on other targets, when an attempt failed. Default: 5. */
  retries?: number
  routes?: KongRoute[]
  plugins?: KongPlugin[]
}

/** What counts, in a row, for or against a target. 0, the default everywhere, is never. */
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
  /** Per cent of the weight that must be healthy. Default: 0. */
  threshold?: number
}

/** A target of an upstream: `host:port`. */
export interface KongTarget extends KongEntity {
  target: string
  /** Default: 100. 0 takes it out. */
  weight?: number
}

/** Several targets for the services whose host is this name. */
interface KongUpstream extends KongEntity {
  name: string
  algorithm?: 'round-robin'
  hash_on?: 'none'
  hash_fallback?: 'none'
  use_srv_name?: false
  /** Without effect: weights are kept to exactly. */
  slots?: number
  /** The Host header for its targets, unless the route preserves the client's. Default: the name of each. */
  host_header?: string
  targets?: KongTarget[]
  healthchecks?: KongHealthChecks
}

/** The DB-less declarative config of Kong 3, as far as this gateway runs it. */
export interface KongConfig {
  _format_version: '3.0' | '2.1'
  /** Not read: a place for the anchors that the rest uses. */
  _ignore?: unknown[]
  _comment?: string
  services?: KongService[]
  upstreams?: KongUpstream[]
  /** Targets that name their upstream. */
  targets?: (KongTarget & { upstream: string })[]
  plugins?: KongPlugin[]
}
