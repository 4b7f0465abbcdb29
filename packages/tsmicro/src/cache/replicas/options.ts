export interface ReplicasOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  /**
   * Milliseconds for which a process may serve from memory without an answer of the registry, and so the longest time that a
   * change waits for a process that died. Renewed three times as often. Default 3000.
   */
  readonly leaseMs?: number
  /** Milliseconds after which an invalidation rejects in any case. Longer than `leaseMs` and two seconds. Default 8000. */
  readonly limitMs?: number
}

export interface BusListener {
  /** Receives a message, which may be anything. */
  heard(text: string): void
  /** The connection is lost: from here on, messages may be missed. */
  lost(): void
}

/**
 * Carries short texts between replicas. It may lose, duplicate or delay them: acknowledgements and leases decide what counts.
 * `createNatsBroadcast` of `tsmicro` makes one.
 */
export interface CacheBus {
  /** Receives what is sent to all and to this name. Called until it does not throw; survives reconnects. */
  listen(name: string, listener: BusListener): void
  /** Sends to all, including the sender, or to one. @throws while the connection is down */
  send(text: string, to?: string): void
  close(): void
}

/**
 * A namespace of Redis, on one Redis process. Every replica uses the one with the highest number that it knows, never a lower
 * one.
 */
export interface Generation {
  readonly number: number
  /** Random; part of every key in Redis. */
  readonly id: string
  /** The Redis process and its history (see the scripts); empty until a server was found. */
  readonly server: string
}

/** A replica that may serve from its memory. */
interface Member {
  /** Counts its renewals. */
  readonly beat: number
  /** Milliseconds for which it may serve after it has sent a renewal. */
  readonly leaseMs: number
  /** Expelled by another replica because it did not answer: it can no longer renew. */
  readonly out: boolean
}

/** The registry's record at one moment. */
export interface RegistryState {
  readonly generation: Generation
  readonly members: ReadonlyMap<string, Member>
}

/**
 * The authority on who caches: one record in a database. It is changed atomically, written durably before an answer and read
 * linearizably (never from a replica that lags behind). It needs no clock: members, and those who wait for them, measure time
 * by their own clocks.
 *
 * Every method rejects with `SERVICE_UNAVAILABLE` or `DEADLINE_EXCEEDED` if it is not certain that it succeeded.
 * `createMongoMembership` of `tsmicro/mongo` makes one.
 */
export interface ReplicaRegistry {
  /** Adds a member with beat 1 and removes former ones, in one step. */
  join(id: string, leaseMs: number, former: readonly string[]): Promise<RegistryState>
  /** Increments the beat. Undefined if there is no such member, or it is out. */
  renew(id: string): Promise<RegistryState | undefined>
  /** Removes members, which must have stopped serving. */
  leave(ids: readonly string[]): Promise<void>
  /** The state after everything that was done before this call. */
  read(): Promise<RegistryState>
  /** Marks members as out. */
  putOut(ids: readonly string[]): Promise<RegistryState>
  /** Removes a member if this is still its beat. */
  remove(id: string, beat: number): Promise<void>
  /**
   * Begins the next generation if `number` is the current one; otherwise another replica has done so, and its generation
   * counts.
   */
  replaceGeneration(number: number, next: { readonly id: string; readonly server: string }): Promise<RegistryState>
}
