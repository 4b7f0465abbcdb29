import type { ConnectionOptions, TlsOptions } from '@nats-io/transport-node'
import type { Log } from '../call/index.ts'
import { inboxPrefixOf } from '../contract/index.ts'
import type { BatchingOptions } from './client/batcher.ts'
import { fileAuthenticator, tlsOf } from './login.ts'
import { connected } from './refusal.ts'
import { identityHint, identityOf, parseServerUrl, type ServerUrl } from './server-url.ts'
import type { Connect, Transport } from './transport.ts'

/** Options for every kind of connection. */
interface LinkOptions {
  /** Shown in the server's list of connections; the service's name. */
  readonly name: string
  readonly log?: Log
  /**
   * First tokens of the subjects on which replies arrive. Default: `_INBOX_<name>`, which belongs to this service alone, so that
   * permissions can name it. Services answer to `_INBOX…` only, unless their `inboxPrefixes` list others.
   */
  readonly inboxPrefix?: string
  /**
   * Calls of one turn of the event loop travel in one message, if the other side supports that. False = each in its own message. Default
   * true.
   */
  readonly batching?: boolean | BatchingOptions
}

/** For a nats-server. */
interface ServerOptions extends LinkOptions {
  /**
   * `nats://[user:password@]host:port` or `nats://token@host`, several separated by commas. `tls://` refuses servers without TLS. Parameters
   * name files as the options of the nats CLI do, `tls://host:4222?creds=/run/blog.creds&tlsca=/run/ca.pem`: `creds`, `nkey`, `tlsca`,
   * `tlscert`, `tlskey`. They are read again for each connection. `tlsfirst` begins with the handshake.
   */
  readonly url: string
  /** Milliseconds between attempts to reconnect. Default 250. */
  readonly reconnectWaitMs?: number
}

/** For any other transport, e.g. the loopback broker of `tsmicro/testing`. */
export interface TransportOptions extends LinkOptions {
  readonly connect: Connect
}

/** Where to connect, and as which user. */
export type NatsOptions = ServerOptions | TransportOptions

/**
 * The returned function throws an {@link UnusableError} for an invalid URL, for a file that cannot be used, and for what TLS refuses, so that
 * it fails when connecting, as a missing server does.
 */
export function connectOf(options: NatsOptions): (once?: { readonly reconnect: false }) => Promise<Transport> {
  if ('connect' in options) return () => options.connect({ name: options.name })
  return async once => {
    const server = parseServerUrl(options.url)
    const made = connectionOptions(options, server)
    // Only a service that connects to a server loads it.
    const { connect } = await import('@nats-io/transport-node')
    return connected(connect({ ...made, ...once }), server)
  }
}

/** The user that the server identifies us as, for messages: `user "blog"`. */
export function userOf(options: NatsOptions): string {
  return 'connect' in options ? `user ${JSON.stringify(options.name)}` : identityOf(parseServerUrl(options.url))
}

/** What to do if the server refuses it. */
export function userHint(options: NatsOptions): string {
  return 'connect' in options ? '' : `; ${identityHint(parseServerUrl(options.url))}`
}

function connectionOptions(options: ServerOptions, server: ServerUrl): ConnectionOptions {
  const { name, reconnectWaitMs = 250, inboxPrefix = inboxPrefixOf(name) } = options
  const { hosts, user, password } = server
  const credentials = password ? { user, pass: password } : { token: user }
  const authenticator = fileAuthenticator(server, options.log)
  const tls = tlsOf(server)
  return {
    servers: [...hosts],
    name,
    maxReconnectAttempts: -1,
    // Otherwise the client gives up for good after two refusals, e.g. while a server restarts with new credentials.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs,
    timeout: 5000,
    // A connection that hangs without closing is detected after two missed pings.
    pingInterval: 10_000,
    maxPingOut: 2,
    // Stack traces for every message cost more than the message.
    noAsyncTraces: true,
    ...(user ? credentials : {}),
    ...(authenticator ? { authenticator } : {}),
    inboxPrefix,
    // More than the types of the library say reaches node:tls.
    ...(tls ? { tls: tls as TlsOptions } : {}),
  }
}
