import type { Balancer } from '../balancing/balancer.ts'
import { balancerFinder, type Resolver, TargetPools, Upstream } from '../balancing/upstream.ts'
import type { GatewayConfig, RouteConfig, ServiceConfig } from '../config/model.ts'
import type { Vault } from '../config/vault.ts'
import type { Revocations } from '../plugins/apikey-auth/revocations.ts'
import type { AccessPlugin } from '../plugins/plugin.ts'
import { PluginSet } from '../plugins/registry.ts'
import type { HostPattern } from '../routing/patterns.ts'
import { shadowedGuards } from '../routing/route-order.ts'
import { Router } from '../routing/router.ts'
import { MAX_ANSWER_HEADER_BYTES } from '../server/limits.ts'
import type { GatewayLog } from '../server/log.ts'
import { ownHosts } from './allowed-hosts.ts'

/** Everything that a request on a route needs, prepared when the config is loaded. */
export interface ProxyRoute {
  readonly backend: Backend
  readonly plugins: readonly AccessPlugin[]
  /** The plugins that may change answers. */
  readonly responders: readonly AccessPlugin[]
  readonly hiddenHeaders: ReadonlySet<string>
  /** Infinity if no plugin limits it. */
  readonly maxBodyBytes: number
  readonly stripPath: boolean
  readonly preserveHost: boolean
  /** The status that refuses requests over http; undefined if they are allowed. */
  readonly httpsOnly: number | undefined
  /** Whether a plugin decides which pages may call. */
  readonly admitsPages: boolean
}

/** A running config. */
export interface ProxyTable {
  readonly router: Router<ProxyRoute>
  /** The plugins that may change the answers to requests that no route matches. */
  readonly unmatchedResponders: readonly AccessPlugin[]
  readonly plugins: PluginSet
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** The hosts of routes, which are allowed because the config names them. */
  readonly hosts: readonly HostPattern[]
  close(): Promise<void>
}

export interface TableOptions {
  readonly resolve: Resolver
  readonly log: GatewayLog
  readonly vault: Vault
  readonly revocations: Revocations
}

/** Throws `GatewayConfigError`, and leaves nothing open then. */
export async function buildTable(
  config: GatewayConfig,
  { resolve, log, vault, revocations }: TableOptions,
): Promise<ProxyTable> {
  const upstreams = new Map(config.upstreams.map(upstream => [upstream.name, new Upstream(upstream, { resolve, log })]))
  const balancerOf = balancerFinder(upstreams, resolve)
  const plugins = new PluginSet({ balancerOf, log, vault, revocations })
  try {
    plugins.make(config.plugins, 'everything')
    for (const service of config.services) {
      plugins.make(service.plugins, `service ${service.name}`)
      for (const route of service.routes) plugins.make(route.plugins, `route ${service.name} ${routeIdentity(route)}`)
    }
  } catch (error) {
    await plugins.close()
    throw error
  }
  const backends: Backend[] = []
  const routes: [RouteConfig, ProxyRoute][] = []
  for (const service of config.services) {
    if (!service.enabled) continue
    const backend = openBackend(service, balancerOf(service))
    backends.push(backend)
    for (const route of service.routes) {
      routes.push([route, proxyRoute(route, backend, plugins.select(route.plugins, service.plugins, config.plugins))])
    }
  }
  const guards = routes.map(([route, { plugins: own }]) => ({
    route,
    needs: own.flatMap(({ guards: needs = [] }) => needs),
  }))
  for (const line of shadowedGuards(guards)) log.warn({}, line)
  return {
    router: new Router(routes),
    unmatchedResponders: respondersOf(plugins.select(config.plugins)),
    plugins,
    upstreams,
    hosts: ownHosts(routes.flatMap(([{ hosts = [] }]) => hosts)),
    close: async () => {
      await Promise.all([plugins.close(), ...backends.map(({ pools }) => pools.close())])
    },
  }
}

/** A service, and its connections to the targets that it is balanced over. */
export interface Backend {
  readonly service: ServiceConfig
  readonly balancer: Balancer
  readonly pools: TargetPools
}

export function openBackend(service: ServiceConfig, balancer: Balancer): Backend {
  const pools = new TargetPools(balancer.targets, {
    // No limit, as in nginx: a request never waits for another one's connection.
    connections: null,
    pipelining: 1,
    connectTimeout: service.connectTimeout,
    // The exchange has its own time-outs, because it knows which side is slow.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
  })
  return { service, balancer, pools }
}

function proxyRoute(route: RouteConfig, backend: Backend, plugins: readonly AccessPlugin[]): ProxyRoute {
  return {
    backend,
    plugins,
    responders: respondersOf(plugins),
    hiddenHeaders: new Set(plugins.flatMap(plugin => plugin.hiddenHeaders ?? [])),
    maxBodyBytes: Math.min(...plugins.map(plugin => plugin.maxBodyBytes ?? Number.POSITIVE_INFINITY)),
    stripPath: route.stripPath,
    preserveHost: route.preserveHost,
    admitsPages: plugins.some(plugin => plugin.admitsPages),
    httpsOnly: route.protocols.includes('http') ? undefined : route.httpsRedirectStatus,
  }
}

function respondersOf(plugins: readonly AccessPlugin[]): AccessPlugin[] {
  return plugins.filter(plugin => plugin.respond !== undefined)
}

/** What identifies a route across reloads: its name, or what it matches. Its place in the config may change. */
function routeIdentity({ id, hosts, paths, methods, headers }: RouteConfig): string {
  return id ?? JSON.stringify([hosts, paths, methods, headers])
}
