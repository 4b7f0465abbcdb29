import assert from 'node:assert/strict'
import type { Cache } from 'tsmicro/cache'

export interface Row {
  readonly version: number
}

/**
 * A database of one row, and the rule: a read that began after the answer to a change sees that change or a later one.
 * Reads and changes go through any cache of any replica.
 */
export class Watched {
  #version = 0
  #answered = 0
  reads = 0
  /** Reads that were answered without the database. */
  hits = 0
  changes = 0
  refused = 0

  get answered(): number {
    return this.#answered
  }

  async read(cache: Cache<Row>, delay: () => Promise<void>, tags: readonly string[] = ['t']): Promise<number> {
    const atLeast = this.#answered
    let fetched = false
    const factory = async () => {
      fetched = true
      await delay()
      const row = { version: this.#version }
      await delay()
      return row
    }
    const { version } = await cache.getOrSet('k', factory, { tags })
    this.reads++
    if (!fetched) this.hits++
    assert.ok(version >= atLeast, `a read saw ${version}, but ${atLeast} had been answered before it began`)
    return version
  }

  async look(cache: Cache<Row>): Promise<void> {
    const atLeast = this.#answered
    const row = await cache.get('k')
    this.reads++
    if (row === undefined) return
    this.hits++
    assert.ok(row.version >= atLeast, `a look saw ${row.version}, but ${atLeast} had been answered before it began`)
  }

  /** A change whose invalidation failed is not answered, and guarantees nothing. */
  async change(invalidate: () => Promise<void>): Promise<boolean> {
    const version = ++this.#version
    try {
      await invalidate()
    } catch {
      this.refused++
      return false
    }
    this.changes++
    this.#answered = Math.max(this.#answered, version)
    return true
  }
}
