import type { ServerResponse } from 'node:http'
import type { ProxyTable } from './table.ts'

/** A table and the requests that began with it. What it holds open is closed when it is retired and the last of them ended. */
export class Generation {
  readonly table: ProxyTable
  #users = 0
  #retired = false
  readonly #released = Promise.withResolvers<void>()

  constructor(table: ProxyTable) {
    this.table = table
  }

  /** The table, which is kept open until this response is finished or given up. */
  tableFor(res: ServerResponse): ProxyTable {
    this.#users += 1
    res.once('close', () => {
      this.#users -= 1
      this.#releaseIfUnused()
    })
    return this.table
  }

  /** Resolves when everything is closed. No request may begin with it any more. */
  retire(): Promise<void> {
    this.#retired = true
    this.table.stopChecks()
    this.#releaseIfUnused()
    return this.#released.promise
  }

  #releaseIfUnused(): void {
    if (this.#retired && this.#users === 0) this.#released.resolve(this.table.close())
  }
}
