import type { ConnectionOptions } from '@nats-io/transport-node'
import type { Log } from '../call/index.ts'
import { inboxPrefixOf } from '../contract/index.ts'
import type { BatchingOptions } from './client/batching.ts'

export interface NatsOptions {
  /** `nats://[user:password@]host:port` or `nats://token@host`, several separated by commas; `tls://` asks for TLS. */
  readonly url: string
  /** Shown in the server's list of connections; the service's name. */
  readonly name: string
  readonly log?: Log
  /** Milliseconds between attempts to reconnect. Default 250. */
  readonly reconnectWaitMs?: number
  /** First token of the subjects on which replies come. Default: one of its own, `_INBOX_<name>`, as permissions ask for. */
  readonly inboxPrefix?: string
  /**
   * Calls of one turn of the event loop travel in one message where the other side takes that. False = each in a message
   * of its own. Default true.
   */
  readonly batching?: boolean | BatchingOptions
}

export function connectionOptions(options: NatsOptions): ConnectionOptions {
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
