import type { Mark } from './marks.ts'

/** Place of a value in the order of things of the shared layer, as of before it was fetched. */
export type Stamp = { readonly generation: string; readonly epoch: string; readonly seq: string }

/** Whether the second stamp is that of the very next invalidation after the first. */
export function follows(first: Stamp | undefined, second: Stamp | undefined): boolean {
  if (first?.generation !== second?.generation || first?.epoch !== second?.epoch) return false
  return Number(second?.seq) === Number(first?.seq) + 1
}

/** A value from the shared layer. */
export interface SharedEntry {
  readonly value: unknown
  readonly marks: readonly Mark[]
  /** Milliseconds it has left. */
  readonly ttlMs: number
}

/** What a look into the shared layer gives; both undefined while the layer cannot be used. */
export interface SharedLook {
  readonly entry?: SharedEntry | undefined
  /** For `keep`, if the value is fetched now. */
  readonly stamp?: Stamp | undefined
}

/** A layer below memory that all replicas have in common. Never rejects: a layer that is down has nothing. */
export interface SharedLayer {
  find(cache: string, key: string): Promise<SharedLook>
  keep(cache: string, key: string, stamp: Stamp, entry: SharedEntry): Promise<void>
}

/** How far a cache's promise goes: this process alone, or every replica. */
export interface Reach {
  /** Whether what is in memory may be served and added to now. Asked on every hit: no more than two comparisons. */
  readonly trusted: boolean
  readonly shared: SharedLayer | undefined
  /**
   * Resolves when nobody elsewhere serves what bears the marks and was fetched before this call.
   * @returns the place of this invalidation in the shared layer, if it was done there
   */
  forget(cache: string, marks: readonly Mark[]): Promise<Stamp | undefined>
}

export const thisProcess: Reach = { trusted: true, shared: undefined, forget: async () => undefined }
