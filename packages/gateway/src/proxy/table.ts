import { Upstream } from '../balancing/upstream.ts'
import type { GatewayConfig, RouteConfig } from '../config/model.ts'
import type { Vault } from '../config/vault.ts'
import type { AccessPlugin } from '../plugins/plugin.ts'
import { PluginSet } from '../plugins/registry.ts'
import type { Revocations } from '../revocations/revocations.ts'
import type { HostPattern } from '../routing/host-pattern.ts'
import { overtaking } from '../routing/overtaking.ts'
import { Router } from '../routing/router.ts'
import type { GatewayLog } from '../server/log.ts'
import { Backend } from './backend.ts'
import { balancerFinder } from './balancer-finder.ts'
import type { Resolver } from './resolver.ts'
import { ownHosts } from './visitors.ts'

/** Everything a request on a route needs, worked out when the config is loaded. */
export interface ProxyRoute {
  readonly backend: Backend
  readonly plugins: readonly AccessPlugin[]
  /** Those of them that have a say on responses. */
  readonly responders: readonly AccessPlugin[]
  readonly hiddenHeaders: ReadonlySet<string>
  /** Infinity when no plugin limits it. */
  readonly maxBodyBytes: number
  readonly stripPath: boolean
  readonly preserveHost: boolean
  /** What requests over http are refused with; undefined when they are not. */
  readonly httpsOnly: number | undefined
  /** Whether a plugin says which pages may ask. */
  readonly admitsPages: boolean
}

/** A config at work. */
export interface ProxyTable {
  readonly router: Router<ProxyRoute>
  /** The plugins that have a say on answers to requests that no route matches. */
  readonly unmatchedResponders: readonly AccessPlugin[]
  readonly plugins: PluginSet
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Names that routes ask for: whoever wrote the config means them. */
  readonly hosts: readonly HostPattern[]
  startChecks(): void
  stopChecks(): void
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
    const backend = new Backend(service, balancerOf(service))
    backends.push(backend)
    for (const route of service.routes) {
      routes.push([route, proxyRoute(route, backend, plugins.select(route.plugins, service.plugins, config.plugins))])
    }
  }
  const watched = routes.map(([route, { plugins: own }]) => ({ route, guarded: own.some(plugin => plugin.guards) }))
  for (const line of overtaking(watched)) log.warn({}, line)
  return {
    router: new Router(routes),
    unmatchedResponders: respondersOf(plugins.select(config.plugins)),
    plugins,
    upstreams,
    hosts: ownHosts(routes.flatMap(([{ hosts = [] }]) => hosts)),
    startChecks: () => {
      for (const upstream of upstreams.values()) upstream.startChecks()
    },
    stopChecks: () => {
      for (const upstream of upstreams.values()) upstream.stopChecks()
    },
    close: async () => {
      await Promise.all([plugins.close(), ...backends.map(backend => backend.close())])
    },
  }
}

function proxyRoute(route: RouteConfig, backend: Backend, plugins: readonly AccessPlugin[]): ProxyRoute {
  return {
    backend,
    plugins,
    responders: respondersOf(plugins),
    hiddenHeaders: new Set(plugins.flatMap(plugin => plugin.hiddenHeaders)),
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

/** What a route is known by over a reload: its name, or what it matches. Its place in the config may change. */
function routeIdentity({ id, hosts, paths, methods, headers }: RouteConfig): string {
  return id ?? JSON.stringify([hosts, paths, methods, headers])
}
