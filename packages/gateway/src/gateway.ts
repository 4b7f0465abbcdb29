import { newAdminToken } from './admin/access.ts'
import { type Admin, startAdmin } from './admin/server.ts'
import { AddressTable } from './balancing/upstream.ts'
import type { KongConfig } from './config/kong-config.ts'
import { type ConfigSource, type ConfigText, loadConfig } from './config/load.ts'
import { type Environment, Vault } from './config/vault.ts'
import { RevocationListener, Revocations } from './plugins/apikey-auth/revocations.ts'
import { AllowedHosts } from './proxy/allowed-hosts.ts'
import { Generations } from './proxy/generations.ts'
import { proxyHandler } from './proxy/handler.ts'
import { createHttpServer, listen } from './server/http-server.ts'
import { InFlight } from './server/in-flight.ts'
import { type GatewayLog, silentLog } from './server/log.ts'

export interface GatewayOptions {
  /** The path of a `kong.yml`, or the config as an object. */
  readonly config: string | KongConfig
  /** 0 for a free one. */
  readonly port: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /**
   * The host names that this gateway answers to, such as `localhost`, `*.shop.test` or `[::1]`, in addition to the hosts of routes.
   * Others get 421. Web pages of other hosts get 403, unless the route has a `cors` plugin. Absent: any host and any page, as in Kong.
   */
  readonly hosts?: readonly string[]
  /** Port of the admin API, on 127.0.0.1 whatever `host` is; 0 for a free one. Absent: no admin API. */
  readonly adminPort?: number
  /**
   * The token that requests to the admin API have to send, as `authorization: Bearer <token>`; 32 characters or more. Default: a
   * random one, the gateway's `adminToken`.
   */
  readonly adminToken?: string
  /** Addresses for names in the config: `{ 'auth:8001': '127.0.0.1:54321' }`. Other names are left to DNS. */
  readonly resolve?: Readonly<Record<string, string>>
  /** The variables for references in the config, such as `{vault://env/gateway-secret}`. Default: the process's environment. */
  readonly env?: Environment
  /**
   * The names that such references may read: `['gateway-secret']`. Default: whatever `config` and the configs passed to `reload` refer
   * to. A config from the admin API may only read what those have read.
   */
  readonly vault?: readonly string[]
  /**
   * NATS, as `nats://user:password@host:port`. Keys that the auth service announces as revoked are refused at once. The user needs
   * permission to subscribe to `apikey.revoked`, and nothing else. Without NATS, a revoked key passes until its verdict expires.
   */
  readonly nats?: string
  /** For example a pino logger. Default: no log. */
  readonly log?: GatewayLog
  /**
   * How long closing waits for open requests (streams of events end sooner), and how long WebSockets live on after a reload or while closing, in milliseconds.
   * Default: 30000.
   */
  readonly drainTimeoutMs?: number
}

export interface Gateway extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The URL of the admin API; undefined without one. */
  readonly adminUrl: string | undefined
  /** The token for the admin API; undefined without one. */
  readonly adminToken: string | undefined
  /**
   * Loads the config again, from its file or from the argument. New requests use the new config, open ones finish with the old one.
   * Rejects with `GatewayConfigError` if the new config is invalid; the old one then stays in use.
   */
  reload(config?: string | KongConfig): Promise<void>
  /** Refuses the API key with this id from now on, whatever is remembered about it and whatever a verifier says. */
  revoke(apiKeyId: string): void
  /** Stops accepting connections, waits for open requests, then closes everything. May be called more than once. */
  close(): Promise<void>
}

/**
 * Starts a gateway for development and tests that runs a DB-less `kong.yml` as Kong 3.9 would. Throws a `GatewayConfigError` if the
 * config is missing or invalid, or needs something that this gateway does not support; a `TypeError` if an entry of `resolve`, `hosts`
 * or `vault`, `nats` or `adminToken` is malformed; an `Error` if a port cannot be used.
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
  const addresses = new AddressTable(options.resolve ?? {})
  const revocations = new Revocations()
  const allowed = options.hosts && new AllowedHosts(options.hosts)
  const vault = new Vault(options.env ?? process.env, options.vault)
  const environment = { revocations, resolve: addresses.resolve, log, vault, drainTimeoutMs }
  const generations = await Generations.start(await loadConfig(options.config), environment)
  const reload = async (source: ConfigSource = options.config) => generations.replace(() => loadConfig(source))
  const loadPosted = (text: ConfigText) =>
    generations.replace(
      () => loadConfig(text),
      first => first.forPosted(),
    )
  const move = (name: string, address: string) => {
    addresses.set(name, address)
    return generations.renew()
  }
  const inFlight = new InFlight()
  const server = createHttpServer(
    proxyHandler(() => generations.current, log, allowed),
    inFlight,
  )
  let port: number
  let admin: Admin | undefined
  const adminToken = options.adminPort === undefined ? undefined : (options.adminToken ?? newAdminToken())
  let listener: RevocationListener | undefined
  try {
    if (options.adminPort !== undefined && adminToken !== undefined) {
      const upstreams = () => generations.current.table.upstreams
      const changes = { load: loadPosted, move, earlier: () => generations.earlier }
      admin = await startAdmin({ port: options.adminPort, token: adminToken, upstreams, ...changes, log })
    }
    if (options.nats !== undefined) listener = new RevocationListener({ url: options.nats, revocations, log })
    port = await listen(server, options.port, host)
  } catch (error) {
    await Promise.all([admin?.close(), listener?.close(), generations.close()])
    throw error
  }
  let closing: Promise<void> | undefined
  const shutDown = async () => {
    const closed = new Promise<void>(done => server.close(() => done()))
    await inFlight.drain(drainTimeoutMs)
    inFlight.cutOff()
    server.closeAllConnections()
    await Promise.all([closed, admin?.close(), listener?.close()])
    await generations.close()
  }
  const close = () => {
    closing ??= shutDown()
    return closing
  }
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const revoke = (apiKeyId: string) => revocations.add(apiKeyId)
  return { url, port, adminUrl: admin?.url, adminToken, reload, revoke, close, [Symbol.asyncDispose]: close }
}
