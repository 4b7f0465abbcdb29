import type { NatsClient } from 'tsmicro'
import type { NatsPermissions } from 'tsmicro/contract'
import type { Transport } from 'tsmicro/internal'
import type { Loopback } from 'tsmicro/testing'

/** Something that services are connected by, with nothing else on it. */
export interface Network {
  /** Of this network, not yet connected. */
  client(name: string, options?: Parameters<Loopback['client']>[1]): NatsClient
  /** A connection with nothing of ours around it. Closed by whoever asked for it. */
  raw(name?: string): Promise<Transport>
  /** Every connection is lost, and none can be made. */
  fail(): Promise<void>
  /** It is there again; clients come back by themselves. */
  recover(): Promise<void>
  /** Calls of a test under load: more where a server of its own is to be worn out. */
  readonly manyCalls: number
}

/** Closed when the test that opens it ends. @param permissions of its users. Default: everybody may do everything */
export type OpenNetwork = (permissions?: readonly NatsPermissions[]) => Promise<Network>
