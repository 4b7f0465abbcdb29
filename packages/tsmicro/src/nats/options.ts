import type { ConnectionOptions } from '@nats-io/transport-node'
import type { Log } from '../call/index.ts'
import { inboxPrefixOf } from '../contract/index.ts'
import { UnusableError } from '../errors/index.ts'
import type { BatchingOptions } from './client/batcher.ts'
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
  /** `nats://[user:password@]host:port` or `nats://token@host`, several separated by commas; `tls://` asks for TLS. */
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

/** The returned function throws an {@link UnusableError} for an invalid URL, so that it fails when connecting, as a missing server does. */
export function connectOf(options: NatsOptions): () => Promise<Transport> {
  if ('connect' in options) return () => options.connect({ name: options.name })
  return async () => {
    const made = connectionOptions(options)
    // Only a service that connects to a server loads it.
    const { connect } = await import('@nats-io/transport-node')
    return connect(made)
  }
}

/** The user that the server identifies us as, for messages: `user "blog"`. */
export function userOf(options: NatsOptions): string {
  if ('connect' in options) return `user ${JSON.stringify(options.name)}`
  const { username = '', password = '' } = serversOf(options.url)[0] ?? {}
  if (username === '') return 'a client without credentials'
  return password === '' ? 'the bearer of this token' : `user ${JSON.stringify(decodeURIComponent(username))}`
}

function serversOf(url: string): readonly URL[] {
  try {
    return url.split(',').map(each => {
      const server = new URL(each.includes('://') ? each.trim() : `nats://${each.trim()}`)
      if (!['nats:', 'tls:'].includes(server.protocol) || server.host === '') throw new TypeError('not a NATS server')
      decodeURIComponent(`${server.username}${server.password}`)
      return server
    })
  } catch {
    // The message omits the URL, which may contain a password.
    throw new UnusableError(
      'the URL cannot be read: expected nats://user:password@host:port, with special characters of the password percent-encoded (@ is %40)',
    )
  }
}

function connectionOptions(options: ServerOptions): ConnectionOptions {
  const { url, name, reconnectWaitMs = 250, inboxPrefix = inboxPrefixOf(name) } = options
  const servers = serversOf(url)
  const { username = '', password = '' } = servers[0] ?? {}
  const user = decodeURIComponent(username)
  const credentials = password ? { user, pass: decodeURIComponent(password) } : { token: user }
  return {
    servers: servers.map(({ host }) => host),
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
    ...(username ? credentials : {}),
    inboxPrefix,
    ...(servers.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  }
}
