import type { Doc } from '../bson/document.ts'
import { Client } from '../client.ts'
import type { Engine } from '../commands/command.ts'
import { CommandError } from '../errors.ts'
import { Pace } from '../pace.ts'
import { reachedValues } from '../query/path.ts'
import type { Collection } from './collection.ts'
import type { Index } from './indexes.ts'

/** Deletes expired documents, one sweep at a time. */
export class Sweeper {
  readonly #engine: Pick<Engine, 'database' | 'catalog'>
  readonly #client = new Client(0)
  #sweeping: Promise<void> | undefined

  constructor(engine: Pick<Engine, 'database' | 'catalog'>) {
    this.#engine = engine
  }

  /** Does nothing while the previous sweep is still running. */
  sweep(): void {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined
    })
  }

  /** A sweep that fails, for example on a full disk, is repeated next time. Clients notice such a failure by their own writes. */
  async #sweep(): Promise<void> {
    const { database, catalog } = this.#engine
    const pace = new Pace(this.#client)
    try {
      database.settle()
      for (const collection of catalog.collections())
        for (const index of [...collection.indexes])
          if (index.expireAfterSeconds !== undefined && !collection.dropped)
            await this.#sweepIndex(collection, index, Date.now() - index.expireAfterSeconds * 1000, pace)
    } catch (error) {
      if (this.#client.gone !== undefined || (error instanceof CommandError && error.codeName === 'QueryPlanKilled'))
        return
      process.emitWarning(`expired documents could not be deleted: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** Scans the collection, letting commands run meanwhile. @throws CommandError if the collection is dropped meanwhile */
  async #sweepIndex(collection: Collection, index: Index, before: number, pace: Pace): Promise<void> {
    for (const row of collection.scan()) {
      if (pace.needsPause()) await pace.pause()
      if (collection.dropped || !isExpired(row.doc, index, before)) continue
      this.#engine.database.write(() => {
        const fresh = collection.byRid(row.rid)
        if (fresh && isExpired(fresh.doc, index, before)) collection.remove(fresh)
      })
    }
  }

  async stop(): Promise<void> {
    this.#client.gone = 'closing'
    await this.#sweeping
  }
}

/** If the field holds several dates, the earliest counts. A document without a date never expires. */
function isExpired(doc: Doc, index: Index, before: number): boolean {
  if (index.partial && !index.partial(doc)) return false
  const [field] = index.fields
  const values = field ? reachedValues(doc, field.path) : []
  return values.some(value => value instanceof Date && value.getTime() <= before)
}
