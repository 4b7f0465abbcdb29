import { inFile } from './config/config-error.ts'
import type { KongConfig } from './config/kong-config.ts'
import { loadConfig } from './config/load.ts'
import type { Environment } from './config/secret.ts'
import { PluginSet } from './plugins/registry.ts'
import { proxyHandler } from './proxy/handler.ts'
import { type Resolver, tableResolver } from './proxy/resolver.ts'
import { buildTable, type ProxyTable } from './proxy/table.ts'
import { createHttpServer, listen } from './server/http-server.ts'
import { InFlight } from './server/in-flight.ts'
import { type GatewayLog, silentLog } from './server/log.ts'

export interface GatewayOptions {
  /** The path of a `kong.yml`, or the same as an object. */
  readonly config: string | KongConfig
  /** 0 takes a free one. */
  readonly port: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Where the names of the config are: `{ 'auth:8001': '127.0.0.1:54321' }`. Others are left to DNS. */
  readonly resolve?: Readonly<Record<string, string>>
  /** Where references of the config such as `{vault://env/gateway-secret}` lead. Default: the process's environment. */
  readonly env?: Environment
  /** Default: silence. A pino logger fits. */
  readonly log?: GatewayLog
  /** How long closing waits for requests that are under way, in milliseconds. Default: 30000. */
  readonly drainTimeoutMs?: number
}

export interface Gateway extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Takes no new connections, waits for the requests under way, then closes everything. May be called twice. */
  close(): Promise<void>
}

/**
 * Starts a gateway that runs a DB-less `kong.yml` as Kong 3.9 would, for development and tests. Throws
 * `GatewayConfigError` when the config is missing, wrong, or asks for what this gateway does not do; `TypeError` when a
 * `resolve` entry is malformed; `Error` when the port cannot be had.
 *
 * ```ts
 * await using gateway = await startGateway({
 *   config: 'kong/kong.yml', port: 0, resolve: { 'auth:8001': '127.0.0.1:54321', 'blog:8002': '127.0.0.1:54322' },
 * })
 * await fetch(`${gateway.url}/blog/health`)
 * ```
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { host = '127.0.0.1', log = silentLog, drainTimeoutMs = 30_000 } = options
  const resolve = tableResolver(options.resolve ?? {})
  const plugins = new PluginSet({ resolve, log, env: options.env ?? process.env })
  const table = await readTable(options.config, plugins, resolve)
  const inFlight = new InFlight()
  const server = createHttpServer(proxyHandler(table, log), inFlight)
  const release = async () => {
    await Promise.all([plugins.close(), ...table.upstreams.map(({ pool }) => pool.destroy())])
  }
  let port: number
  try {
    port = await listen(server, options.port, host)
  } catch (error) {
    await release()
    throw error
  }
  let closing: Promise<void> | undefined
  const shutDown = async () => {
    const closed = new Promise<void>(done => server.close(() => done()))
    await inFlight.drain(drainTimeoutMs)
    server.closeAllConnections()
    await closed
    await release()
  }
  const close = () => {
    closing ??= shutDown()
    return closing
  }
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return { url, port, close, [Symbol.asyncDispose]: close }
}

async function readTable(config: string | KongConfig, plugins: PluginSet, resolve: Resolver): Promise<ProxyTable> {
  try {
    return buildTable(await loadConfig(config), plugins, resolve)
  } catch (error) {
    await plugins.close()
    throw typeof config === 'string' ? inFile(config, error) : error
  }
}
