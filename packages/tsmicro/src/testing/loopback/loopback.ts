import { setImmediate as nextTurn } from 'node:timers/promises'
import { AuthorizationError, ConnectionError } from '@nats-io/nats-core'
import type { NatsPermissions } from '../../contract/index.ts'
import { type Connect, NatsClient, type NatsClientOptions, type TransportOptions } from '../../nats/index.ts'
import { Broker, Session } from './broker.ts'
import { LoopbackConnection } from './connection.ts'

export interface LoopbackOptions {
  /**
   * The permissions of each user. A client's name is its user's, and users that are not listed cannot connect. Default: everybody may
   * do everything. As on a server, what is not permitted fails with NOT_PERMITTED, and a service that lacks a permission does not
   * start.
   */
  readonly permissions?: readonly NatsPermissions[]
  /** The largest message in bytes, headers included. Default 1 MiB, like a nats-server's. */
  readonly maxPayload?: number
}

/** Options of a client, without its name and server. */
export type LoopbackClientOptions = Omit<Extract<NatsClientOptions, TransportOptions>, 'name' | 'connect'>

/** A broker within this process; see {@link createLoopback}. */
export interface Loopback {
  /**
   * A client of this broker, not yet connected. A service connects it when it starts; otherwise call `connect()`, and `close()` in
   * the end.
   */
  client(name: string, options?: LoopbackClientOptions): NatsClient
  /** For `new NatsClient({ name, connect: loopback.connect })`. */
  readonly connect: Connect
  /**
   * "NATS is down": every connection is lost with everything under way, and new ones fail. Resolves when all clients have noticed.
   */
  disconnect(): Promise<void>
  /** NATS is up again: every connection comes back with its subscriptions. Resolves when all clients have noticed. */
  reconnect(): Promise<void>
}

const DEFAULT_MAX_PAYLOAD = 1024 * 1024

/**
 * NATS within one process, so that tests of services need no nats-server. Subjects with wildcards, queue groups, replies, "no
 * responders", limits and permissions work as on a server, and messages travel as bytes. Of JetStream it has what events need; streams
 * outlive a lost connection.
 *
 * @example
 * const loopback: Loopback = createLoopback()
 * const module = createModule(env, { nats: loopback.client('blog') })
 * const caller = loopback.client('caller')
 * await caller.connect()
 */
export function createLoopback(options: LoopbackOptions = {}): Loopback {
  const { permissions, maxPayload = DEFAULT_MAX_PAYLOAD } = options
  const broker = new Broker()
  const connect: Connect = async ({ name }) => {
    if (!broker.up) throw new ConnectionError('connection refused')
    const own = permissions?.find(({ user }) => user === name)
    if (permissions && !own) throw unknownUser(permissions)
    return new LoopbackConnection(broker, new Session(own), maxPayload)
  }
  return {
    connect,
    client: (name, options = {}) => new NatsClient({ ...options, name, connect }),
    async disconnect() {
      broker.stop()
      await nextTurn()
    },
    async reconnect() {
      broker.start()
      await nextTurn()
    },
  }
}

function unknownUser(known: readonly NatsPermissions[]): Error {
  const users = known.map(({ user }) => user).join(', ')
  return new AuthorizationError(`Authorization Violation: the loopback's permissions name ${users || 'nobody'}`)
}
