import type { CacheBus } from './bus.ts'
import type { ReplicaRegistry } from './registry.ts'

export interface ReplicasOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  /**
   * Milliseconds that a process may serve from memory without a word from the registry, and so the longest that a change
   * waits for one that died. Renewed three times as often. Default 3000.
   */
  readonly leaseMs?: number
  /** Milliseconds after which an invalidation rejects, whatever does not answer. Longer than `leaseMs` and two seconds. Default 8000. */
  readonly limitMs?: number
}
