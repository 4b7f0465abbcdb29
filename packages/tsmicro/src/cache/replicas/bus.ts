export interface BusListener {
  /** A message; nothing is known about it. */
  heard(text: string): void
  /** The connection is lost: messages may be missed from here on. */
  lost(): void
}

/**
 * Carries short texts between replicas. It may lose them, double them or bring them late: what counts is decided by
 * answers and leases. `tsmicro` has one: `createNatsBroadcast`.
 */
export interface CacheBus {
  /** Hears what is sent to all and to this name. Called until it does not throw; stays through reconnects. */
  listen(name: string, listener: BusListener): void
  /** To all, the sender included, or to one. @throws while the connection is down */
  send(text: string, to?: string): void
  close(): void
}
