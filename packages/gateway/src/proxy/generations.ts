import type { ServerResponse } from 'node:http'
import type { LoadedConfig } from '../config/load.ts'
import type { Vault } from '../config/vault.ts'
import { buildTable, type ProxyTable, type TableOptions } from './table.ts'

/** A table, and the requests that began with it. When it has been retired and the last of them has ended, the table is closed. */
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

  /** Returns the table, and keeps it open until the response is finished or given up. `upgraded`: the response may last forever. */
  tableFor(res: ServerResponse, upgraded: boolean): ProxyTable {
    this.#users += 1
    if (upgraded) this.#upgraded.add(res)
    res.on('close', this.#onClose)
    return this.table
  }

  /** The requests in progress, without WebSockets. */
  get requests(): number {
    return this.#users - this.#upgraded.size
  }

  /**
   * Resolves when everything is closed. No further request may use this generation. WebSockets live on for `drainTimeoutMs`: they have
   * no end of their own, and the new config may no longer admit them. Undefined: it admits them, and they stay.
   */
  retire(drainTimeoutMs: number | undefined): Promise<void> {
    this.#retired = true
    for (const { checks } of this.table.upstreams.values()) checks.stop()
    if (drainTimeoutMs !== undefined) this.cutOffAfter(drainTimeoutMs)
    this.#releaseIfUnused()
    return this.#released.promise
  }

  /** For a retired one: ends its WebSockets then, unless they were to end earlier. */
  cutOffAfter(drainTimeoutMs: number): void {
    if (this.#users === 0) return
    this.#cutOff ??= setTimeout(() => {
      for (const res of this.#upgraded) res.destroy()
    }, drainTimeoutMs)
  }

  /** One function for all responses, which is why it gets the response as `this`. */
  readonly #onClose = this.#closeListener()

  #closeListener() {
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

export interface GenerationsOptions extends TableOptions {
  /** How long the WebSockets of a replaced config live on, in milliseconds. */
  readonly drainTimeoutMs: number
}

/** What a table is built from, besides the options. */
interface BuildSource {
  readonly loaded: LoadedConfig
  readonly vault: Vault
}

/** The table in use, and the earlier ones that still have requests. */
export class Generations {
  readonly #options: GenerationsOptions
  readonly #retiring = new Map<Generation, Promise<void>>()
  #current: Generation
  /** What the current table was built from. */
  #source: BuildSource
  #replacing: Promise<void> = Promise.resolve()

  private constructor(table: ProxyTable, source: BuildSource, options: GenerationsOptions) {
    this.#options = options
    this.#source = source
    this.#current = begin(table)
  }

  /** Throws `GatewayConfigError`. */
  static async start(loaded: LoadedConfig, options: GenerationsOptions): Promise<Generations> {
    return new Generations(await build(loaded, options), { loaded, vault: options.vault }, options)
  }

  get current(): Generation {
    return this.#current
  }

  /** The number of requests in progress that began before the last replacement, without WebSockets. */
  get earlier(): number {
    return this.#retiring.keys().reduce((sum, { requests }) => sum + requests, 0)
  }

  /**
   * Replaces the table, one replacement after the other. If it throws, the old table stays. `vaultOf`: returns the vault for the new
   * config, by default that of the first one.
   */
  replace(load: () => Promise<LoadedConfig>, vaultOf: (first: Vault) => Vault = first => first): Promise<void> {
    return this.#inTurn(async () => {
      const source = { loaded: await load(), vault: vaultOf(this.#options.vault) }
      this.#swap(await this.#build(source), this.#options.drainTimeoutMs)
      this.#source = source
    })
  }

  /** Builds the table again from the same config, because addresses have changed. WebSockets stay where they are. */
  renew(): Promise<void> {
    return this.#inTurn(async () => this.#swap(await this.#build(this.#source), undefined))
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#replacing.then(work)
    this.#replacing = done.catch(() => {})
    return done
  }

  #build({ loaded, vault }: BuildSource): Promise<ProxyTable> {
    return build(loaded, { ...this.#options, vault })
  }

  /** Resolves when every table is closed. */
  async close(): Promise<void> {
    await this.#replacing
    for (const generation of this.#retiring.keys()) generation.cutOffAfter(this.#options.drainTimeoutMs)
    this.#retire(this.#current, this.#options.drainTimeoutMs)
    await Promise.all(this.#retiring.values())
  }

  #swap(table: ProxyTable, drainTimeoutMs: number | undefined): void {
    const old = this.#current
    // The state of targets is still valid. Without it, requests would go to dead targets again.
    for (const [name, { balancer }] of table.upstreams) {
      const known = old.table.upstreams.get(name)
      if (known !== undefined) balancer.inherit(known.balancer)
    }
    table.plugins.inherit(old.table.plugins)
    this.#current = begin(table)
    // Those that stayed when addresses changed were admitted by the config that is replaced now.
    if (drainTimeoutMs !== undefined)
      for (const generation of this.#retiring.keys()) generation.cutOffAfter(drainTimeoutMs)
    this.#retire(old, drainTimeoutMs)
  }

  #retire(generation: Generation, drainTimeoutMs: number | undefined): void {
    const retired = generation.retire(drainTimeoutMs)
    this.#retiring.set(generation, retired)
    const forget = () => void this.#retiring.delete(generation)
    retired.then(forget, error => {
      forget()
      this.#options.log.error({}, `a replaced config could not be closed: ${error}`)
    })
  }
}

function begin(table: ProxyTable): Generation {
  for (const { checks } of table.upstreams.values()) checks.start()
  return new Generation(table)
}

async function build({ config, explain }: LoadedConfig, options: TableOptions): Promise<ProxyTable> {
  try {
    return await buildTable(config, options)
  } catch (error) {
    throw explain(error)
  }
}
