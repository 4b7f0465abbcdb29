import { type ConnectionOptions, connect } from '@nats-io/transport-node'
import type { Log } from '../call/index.ts'
import { inboxPrefixOf } from '../contract/index.ts'
import type { BatchingOptions } from './client/batching.ts'
import type { Connect, Transport } from './transport.ts'

/** What is said wherever one connects to. */
export interface LinkOptions {
  /** Shown in the server's list of connections; the service's name. */
  readonly name: string
  readonly log?: Log
  /** First token of the subjects on which replies come. Default: one of its own, `_INBOX_<name>`, as permissions ask for. */
  readonly inboxPrefix?: string
  /**
   * Calls of one turn of the event loop travel in one message where the other side takes that. False = each in a message
   * of its own. Default true.
   */
  readonly batching?: boolean | BatchingOptions
}

/** To a nats-server. */
export interface ServerOptions extends LinkOptions {
  /** `nats://[user:password@]host:port` or `nats://token@host`, several separated by commas; `tls://` asks for TLS. */
  readonly url: string
  /** Milliseconds between attempts to reconnect. Default 250. */
  readonly reconnectWaitMs?: number
}

/** To anything else that can be connected to, e.g. the loopback broker of `tsmicro/testing`. */
export interface TransportOptions extends LinkOptions {
  readonly connect: Connect
}

/** Where and as whom to connect. */
export type NatsOptions = ServerOptions | TransportOptions

export function connectOf(options: NatsOptions): () => Promise<Transport> {
  if ('connect' in options) return () => options.connect({ name: options.name })
  // Read only when it connects: then an unusable URL fails as a server does that is not there.
  return () => connect(connectionOptions(options))
}

function connectionOptions(options: ServerOptions): ConnectionOptions {
  const { url, name, reconnectWaitMs = 250, inboxPrefix = inboxPrefixOf(name) } = options
  const parsed = url.split(',').map(each => new URL(each.includes('://') ? each : `nats://${each}`))
  const [{ username, password } = { username: '', password: '' }] = parsed
  const user = decodeURIComponent(username)
  const credentials = password ? { user, pass: decodeURIComponent(password) } : { token: user }
  return {
    servers: parsed.map(({ host }) => host),
    name,
    maxReconnectAttempts: -1,
    // Without it the client ends for good after two refusals, e.g. while a server restarts with new credentials.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs,
    timeout: 5000,
    // A connection that hangs without being closed is noticed after two missed pings.
    pingInterval: 10_000,
    maxPingOut: 2,
    // Stack traces for every message cost more than the message.
    noAsyncTraces: true,
    ...(username ? credentials : {}),
    inboxPrefix,
    ...(parsed.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  }
}
