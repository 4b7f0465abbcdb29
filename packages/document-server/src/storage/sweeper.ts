import { newClient } from '../client.ts'
import type { Engine } from '../commands/command.ts'
import { CommandError } from '../errors.ts'
import { Pace } from '../pace.ts'
import { deleteExpired } from './expiry.ts'

/** Deletes what has expired, again and again, one sweep at a time. */
export class Sweeper {
  readonly #engine: Pick<Engine, 'database' | 'catalog'>
  readonly #client = newClient(0)
  #sweeping: Promise<void> | undefined

  constructor(engine: Pick<Engine, 'database' | 'catalog'>) {
    this.#engine = engine
  }

  /** Does nothing while the last sweep goes on. */
  sweep(): void {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined
    })
  }

  /** A sweep that fails (a full disk) is tried again next time; clients learn of such a failure by their own writes. */
  async #sweep(): Promise<void> {
    const { database, catalog } = this.#engine
    try {
      database.settle()
      await deleteExpired(database, catalog, new Pace(this.#client))
    } catch (error) {
      if (this.#client.gone !== undefined || (error instanceof CommandError && error.codeName === 'QueryPlanKilled'))
        return
      process.emitWarning(`expired documents could not be deleted: ${error instanceof Error ? error.message : error}`)
    }
  }

  async stop(): Promise<void> {
    this.#client.gone = 'closing'
    await this.#sweeping
  }
}
