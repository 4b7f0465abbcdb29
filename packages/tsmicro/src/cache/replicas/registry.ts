/**
 * Which namespace of Redis counts, and on which Redis process. Everybody uses the one with the highest number that it
 * knows; a lower one is never used again.
 */
export interface Generation {
  readonly number: number
  /** Random; part of every key in Redis. */
  readonly id: string
  /** Which Redis process and history (see the scripts); empty until one was met. */
  readonly server: string
}

/** A replica that may serve from its memory. */
interface Member {
  /** Counts its renewals. */
  readonly beat: number
  /** Milliseconds after a renewal was sent that it may go on. */
  readonly leaseMs: number
  /** Put out by another, because it did not answer: it cannot renew any more. */
  readonly out: boolean
}

/** What the registry's record says at one moment. */
export interface RegistryState {
  readonly generation: Generation
  readonly members: ReadonlyMap<string, Member>
}

/**
 * The one authority for who caches: one record in a database, changed atomically, written durably before an answer and read
 * linearizably (never from a replica that lags behind). It needs no clock: members and those who wait for them count by
 * their own, from what they saw.
 *
 * Every method rejects when it is not sure that it was done, with `SERVICE_UNAVAILABLE` or `DEADLINE_EXCEEDED`.
 * `tsmicro/mongo` has one: `createMongoMembership`.
 */
export interface ReplicaRegistry {
  /** Adds a member with beat 1, and takes away former ones, in one step. */
  join(id: string, leaseMs: number, former: readonly string[]): Promise<RegistryState>
  /** Adds one to the beat. Undefined when there is no such member, or it is out. */
  renew(id: string): Promise<RegistryState | undefined>
  /** Takes members away, which must have stopped serving. */
  leave(ids: readonly string[]): Promise<void>
  /** What is there after everything that was done before this call. */
  read(): Promise<RegistryState>
  /** Marks members as out. */
  putOut(ids: readonly string[]): Promise<RegistryState>
  /** Takes a member away if this is still its beat. */
  remove(id: string, beat: number): Promise<void>
  /** Begins the next generation if `number` is the present one's; else another one has just done so, and its counts. */
  replaceGeneration(number: number, next: { readonly id: string; readonly server: string }): Promise<RegistryState>
}
