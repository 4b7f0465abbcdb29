import { setImmediate as nextTurn } from 'node:timers/promises'
import { AuthorizationError, ConnectionError } from '@nats-io/nats-core'
import type { NatsPermissions } from '../../contract/index.ts'
import { type Connect, NatsClient, type NatsClientOptions, type TransportOptions } from '../../nats/index.ts'
import { Broker } from './broker.ts'
import { LoopbackConnection } from './connection.ts'
import { Session } from './session.ts'

export interface LoopbackOptions {
  /**
   * What each user may do; a client's name is its user's, and whoever is not named does not get in. Default: everybody may
   * do everything. As on a server, what is not allowed fails with NOT_PERMITTED, and a service that lacks a permission does not
   * start.
   */
  readonly permissions?: readonly NatsPermissions[]
  /** Bytes of one message at most, headers included. Default 1 MiB, as a nats-server's. */
  readonly maxPayload?: number
}

/** Options of a client, save who it is and where it connects to. */
export type LoopbackClientOptions = Omit<Extract<NatsClientOptions, TransportOptions>, 'name' | 'connect'>

/** A broker within this process; see {@link createLoopback}. */
export interface Loopback {
  /**
   * A client of this broker, not yet connected: a service connects it when it starts; else call `connect()`, and `close()`
   * in the end.
   */
  client(name: string, options?: LoopbackClientOptions): NatsClient
  /** For `new NatsClient({ name, connect: loopback.connect })`. */
  readonly connect: Connect
  /**
   * "NATS is down": every connection is lost with what is under way, and none can be made. Resolves when all clients have
   * noticed.
   */
  disconnect(): Promise<void>
  /** It is there again; every connection comes back with its subscriptions. Resolves when all clients have noticed. */
  reconnect(): Promise<void>
}

const DEFAULT_MAX_PAYLOAD = 1024 * 1024

/**
 * The NATS door within one process, so that tests of services need no nats-server: subjects with wildcards, queue groups,
 * replies, "nobody listens", limits and permissions are those of a server, and messages travel as bytes. Core NATS only.
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
