import type { NatsClient } from 'tsmicro'
import type { Contract, NatsPermissions } from 'tsmicro/contract'
import type { Transport } from 'tsmicro/internal'
import type { Loopback } from 'tsmicro/testing'

/** What connects services, with nothing else on it. */
export interface Network {
  /** A client of this network, not yet connected. */
  client(name: string, options?: Parameters<Loopback['client']>[1]): NatsClient
  /** A bare connection, without any of our code around it. Its user closes it. */
  raw(name?: string): Promise<Transport>
  /** Creates the streams of what a service publishes and handles, as an operator does before it starts. */
  streams(
    service: string,
    publishes: readonly Contract[],
    handles?: Readonly<Record<string, readonly Contract[]>>,
  ): Promise<void>
  /** All connections are lost, and none can be made. */
  fail(): Promise<void>
  /** Connections can be made again; clients reconnect by themselves. */
  recover(): Promise<void>
  /** Number of calls in a test under load: more when a real server is tested. */
  readonly manyCalls: number
}

/** Closed when the test that opens it ends. @param permissions of its users. Default: all users may do everything */
export type OpenNetwork = (permissions?: readonly NatsPermissions[]) => Promise<Network>
