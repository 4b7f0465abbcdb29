import { LRUCache } from 'lru-cache'
import { lasting } from '../stores/index.ts'
import type { Tag } from './tags.ts'

/** A value in memory. */
export interface Entry {
  /** In the form of its cache. */
  readonly kept: unknown
  /** The sequence number of the beginning of its fetch. */
  readonly began: number
  readonly tags: readonly Tag[]
  /** When its time is over, by `performance.now()`. */
  readonly until: number
  readonly bytes: number
}

/** Entries of all caches of a store; the least recently used are evicted first. */
export type Memory = LRUCache<string, Entry>

export function createMemory(max: number, maxSize: number | undefined): Memory {
  return new LRUCache({ max, ...(maxSize === undefined ? {} : { maxSize, sizeCalculation: ({ bytes }) => bytes }) })
}

/** How a cache keeps values, and what callers get of them. Both are undefined for undefined. */
export interface Form {
  keep(value: unknown): { readonly kept: unknown; readonly bytes: number }
  give(kept: unknown): unknown
}

/** What an entry needs besides its text: keys, tags, and places in lists. */
const OVERHEAD_BYTES = 400

/** Values are kept as text, so that every caller gets a copy of its own. */
export const copies: Form = {
  keep(value) {
    const kept: string | undefined = JSON.stringify(value)
    return { kept, bytes: bytesOf(kept) }
  },
  give: kept => (kept === undefined ? undefined : JSON.parse(kept as string)),
}

/** All callers get the same value, which nobody can change. */
export const frozen: Form = {
  keep(value) {
    const { kept: text, bytes } = copies.keep(value)
    // Doubled, as a door keeps its answer with the value.
    return { kept: lasting(freeze(copies.give(text))), bytes: 2 * bytes }
  },
  give: kept => kept,
}

function bytesOf(text: string | undefined): number {
  return OVERHEAD_BYTES + (text === undefined ? 0 : Buffer.byteLength(text))
}

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
