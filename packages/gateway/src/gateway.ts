import { type Admin, startAdmin } from './admin/server.ts'
import { newAdminToken } from './admin/token.ts'
import type { KongConfig } from './config/kong-config.ts'
import { type ConfigSource, type ConfigText, loadConfig } from './config/load.ts'
import { type Environment, Vault } from './config/vault.ts'
import { Generations } from './proxy/generations.ts'
import { proxyHandler } from './proxy/handler.ts'
import { tableResolver } from './proxy/resolver.ts'
import { Visitors } from './proxy/visitors.ts'
import { RevocationListener } from './revocations/listener.ts'
import { Revocations } from './revocations/revocations.ts'
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
  /**
   * The names that requests may call this gateway by, as `localhost`, `*.shop.test` or `[::1]`, beside those that routes ask for; others
   * get 421. Pages of other hosts get 403 where no `cors` plugin has a say. Absent = any name and any page, as in Kong.
   */
  readonly hosts?: readonly string[]
  /** Port of the admin API, on 127.0.0.1 whatever `host` is; 0 takes a free one. Absent = there is none. */
  readonly adminPort?: number
  /**
   * What requests to the admin API have to bring, as `authorization: Bearer <token>`; 32 characters or more. Default: a random
   * one, which is `adminToken` of the gateway.
   */
  readonly adminToken?: string
  /** Where the names of the config are: `{ 'auth:8001': '127.0.0.1:54321' }`. Others are left to DNS. */
  readonly resolve?: Readonly<Record<string, string>>
  /** Where references of the config such as `{vault://env/gateway-secret}` lead. Default: the process's environment. */
  readonly env?: Environment
  /**
   * The names that such references may read: `['gateway-secret']`. Default: whatever `config` and what `reload` is given refer to;
   * a config that comes over the admin API may read no more than those did.
   */
  readonly vault?: readonly string[]
  /**
   * NATS, as `nats://user:password@host:port`: keys that the auth service announces as revoked are refused at once. The user needs
   * to subscribe `apikey.revoked` and nothing else. Absent, or while it is away: a verdict lives as long as it lives.
   */
  readonly nats?: string
  /** Default: silence. A pino logger fits. */
  readonly log?: GatewayLog
  /**
   * How long closing waits for requests that are under way, and WebSockets live on then or after a reload, in milliseconds.
   * Default: 30000.
   */
  readonly drainTimeoutMs?: number
}

export interface Gateway extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Of the admin API; undefined when there is none. */
  readonly adminUrl: string | undefined
  /** What requests to the admin API have to bring; undefined when there is none. */
  readonly adminToken: string | undefined
  /**
   * Loads the config anew, from its file or from what is given instead. Requests that come from then on see the new one, those
   * under way finish with the old one. Rejects with `GatewayConfigError` when it cannot be run; the old one goes on then.
   */
  reload(config?: string | KongConfig): Promise<void>
  /** Refuses the API key with this id from now on, whatever is remembered of it and whatever a verifier says. */
  revoke(apiKeyId: string): void
  /** Takes no new connections, waits for the requests under way, then closes everything. May be called twice. */
  close(): Promise<void>
}

/**
 * Starts a gateway that runs a DB-less `kong.yml` as Kong 3.9 would, for development and tests. Throws
 * `GatewayConfigError` when the config is missing, wrong, or asks for what this gateway does not do; `TypeError` when a
 * `resolve`, `hosts` or `vault` entry, `nats` or `adminToken` is malformed; `Error` when a port cannot be had.
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
  const revocations = new Revocations()
  const visitors = options.hosts && new Visitors(options.hosts)
  const vault = new Vault(options.env ?? process.env, options.vault)
  const environment = { revocations, resolve, log, vault, drainTimeoutMs }
  const generations = await Generations.start(await loadConfig(options.config), environment)
  const reload = async (source: ConfigSource = options.config) => generations.replace(() => loadConfig(source))
  const loadPosted = (text: ConfigText) =>
    generations.replace(
      () => loadConfig(text),
      first => first.forPosted(),
    )
  const inFlight = new InFlight()
  const server = createHttpServer(
    proxyHandler(() => generations.current, log, visitors),
    inFlight,
  )
  let port: number
  let admin: Admin | undefined
  const adminToken = options.adminPort === undefined ? undefined : (options.adminToken ?? newAdminToken())
  let listener: RevocationListener | undefined
  try {
    if (options.adminPort !== undefined && adminToken !== undefined) {
      const upstreams = () => generations.current.table.upstreams
      admin = await startAdmin({ port: options.adminPort, token: adminToken, upstreams, load: loadPosted, log })
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
