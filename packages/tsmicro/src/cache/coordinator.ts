import type { Tag } from './tags.ts'

/** A point in the order of invalidations of the shared layer. For a value, it was read before the value was fetched. */
export type Stamp = { readonly generation: string; readonly epoch: string; readonly seq: string }

/** Whether the second stamp is that of the very next invalidation after the first. */
export function follows(first: Stamp | undefined, second: Stamp | undefined): boolean {
  if (first?.generation !== second?.generation || first?.epoch !== second?.epoch) return false
  return Number(second?.seq) === Number(first?.seq) + 1
}

/** A value from the shared layer. */
export interface SharedEntry {
  readonly value: unknown
  readonly tags: readonly Tag[]
  /** Remaining time to live, in milliseconds. */
  readonly ttlMs: number
}

/** The result of a look into the shared layer; both members are undefined while it can't be used. */
export interface SharedLookup {
  readonly entry?: SharedEntry | undefined
  /** For `keep`, if the value is fetched now. */
  readonly stamp?: Stamp | undefined
}

/** A layer below memory that all replicas share. Never rejects: while it is down, it is empty. */
export interface SharedLayer {
  find(cache: string, key: string): Promise<SharedLookup>
  keep(cache: string, key: string, stamp: Stamp, entry: SharedEntry): Promise<void>
}

/** Keeps a cache coherent with its copies: in this process alone, or in every replica. */
export interface Coordinator {
  /** Whether memory may be served and filled now. Asked on every hit, so it must not cost more than two comparisons. */
  readonly trusted: boolean
  readonly shared: SharedLayer | undefined
  /**
   * Resolves when no other process serves a value that has one of the tags and was fetched before this call.
   * @returns the stamp of this invalidation in the shared layer, if it was done there
   */
  forget(cache: string, tags: readonly Tag[]): Promise<Stamp | undefined>
}

export const thisProcess: Coordinator = { trusted: true, shared: undefined, forget: async () => undefined }
