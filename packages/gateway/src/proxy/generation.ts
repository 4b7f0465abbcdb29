import type { ServerResponse } from 'node:http'
import type { ProxyTable } from './table.ts'

/** A table and the requests that began with it. What it holds open is closed when it is retired and the last of them ended. */
export class Generation {
  readonly table: ProxyTable
  readonly #upgraded = new Set<ServerResponse>()
  #users = 0
  #retired = false
  #cutOff: NodeJS.Timeout | undefined
  readonly #released = Promise.withResolvers<void>()

  constructor(table: ProxyTable) {
    this.table = table
  }

  /** The table, which is kept open until this response is finished or given up. `upgraded`: it may last for ever. */
  tableFor(res: ServerResponse, upgraded: boolean): ProxyTable {
    this.#users += 1
    if (upgraded) this.#upgraded.add(res)
    res.on('close', this.#onClose)
    return this.table
  }

  /**
   * Resolves when everything is closed. No request may begin with it any more. What was admitted as a WebSocket lives on for
   * `drainTimeoutMs`: it has no end of its own, and the new config may admit others.
   */
  retire(drainTimeoutMs: number): Promise<void> {
    this.#retired = true
    this.table.stopChecks()
    this.#cutOff = setTimeout(() => {
      for (const res of this.#upgraded) res.destroy()
    }, drainTimeoutMs)
    this.#releaseIfUnused()
    return this.#released.promise
  }

  /** One function for all responses. */
  readonly #onClose = this.#departure()

  #departure() {
    const leave = (res: ServerResponse) => {
      this.#users -= 1
      if (this.#upgraded.size > 0) this.#upgraded.delete(res)
      this.#releaseIfUnused()
    }
    return function (this: ServerResponse): void {
      leave(this)
    }
  }

  #releaseIfUnused(): void {
    if (!this.#retired || this.#users > 0) return
    clearTimeout(this.#cutOff)
    this.#released.resolve(this.table.close())
  }
}
