import type { GatewayConfig, RouteConfig } from '../config/model.ts'
import type { AccessPlugin } from '../plugins/plugin.ts'
import type { PluginSet } from '../plugins/registry.ts'
import { Router } from '../routing/router.ts'
import type { Resolver } from './resolver.ts'
import { openUpstream, type Upstream } from './upstream.ts'

/** Everything a request on a route needs, worked out when the gateway starts. */
export interface ProxyRoute {
  readonly upstream: Upstream
  readonly plugins: readonly AccessPlugin[]
  readonly hiddenHeaders: ReadonlySet<string>
  readonly stripPath: boolean
  readonly preserveHost: boolean
  readonly httpsOnly: boolean
}

export interface ProxyTable {
  readonly router: Router<ProxyRoute>
  readonly upstreams: readonly Upstream[]
}

/** Throws `GatewayConfigError` before anything is opened. */
export function buildTable(config: GatewayConfig, plugins: PluginSet, resolve: Resolver): ProxyTable {
  plugins.make(config.plugins)
  for (const service of config.services) {
    plugins.make(service.plugins)
    for (const route of service.routes) plugins.make(route.plugins)
  }
  const upstreams: Upstream[] = []
  const routes: [RouteConfig, ProxyRoute][] = []
  for (const service of config.services) {
    const upstream = openUpstream(service, resolve)
    upstreams.push(upstream)
    for (const route of service.routes) {
      routes.push([route, proxyRoute(route, upstream, plugins.select(route.plugins, service.plugins, config.plugins))])
    }
  }
  return { router: new Router(routes), upstreams }
}

function proxyRoute(route: RouteConfig, upstream: Upstream, plugins: readonly AccessPlugin[]): ProxyRoute {
  return {
    upstream,
    plugins,
    hiddenHeaders: new Set(plugins.flatMap(plugin => plugin.hiddenHeaders)),
    stripPath: route.stripPath,
    preserveHost: route.preserveHost,
    httpsOnly: !route.protocols.includes('http'),
  }
}
