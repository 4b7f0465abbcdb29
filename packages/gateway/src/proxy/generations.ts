import type { LoadedConfig } from '../config/load.ts'
import type { Vault } from '../config/vault.ts'
import { Generation } from './generation.ts'
import { buildTable, type ProxyTable, type TableOptions } from './table.ts'

export interface GenerationsOptions extends TableOptions {
  /** How long the WebSockets of a config that was replaced live on, in milliseconds. */
  readonly drainTimeoutMs: number
}

/** The table in use, those before it that still have requests, and the way from one to the next. */
export class Generations {
  readonly #options: GenerationsOptions
  readonly #retiring = new Set<Promise<void>>()
  #current: Generation
  #replacing: Promise<void> = Promise.resolve()

  private constructor(table: ProxyTable, options: GenerationsOptions) {
    this.#options = options
    this.#current = new Generation(table)
    table.startChecks()
  }

  /** Throws `GatewayConfigError`. */
  static async start(loaded: LoadedConfig, options: GenerationsOptions): Promise<Generations> {
    return new Generations(await build(loaded, options), options)
  }

  get current(): Generation {
    return this.#current
  }

  /**
   * Replaces the table, one replacement after the other; when it throws, the old one stays. `vaultOf`: what the config may read,
   * if that is not what the first one may.
   */
  replace(load: () => Promise<LoadedConfig>, vaultOf: (first: Vault) => Vault = first => first): Promise<void> {
    const replaced = this.#replacing.then(async () => {
      const options = { ...this.#options, vault: vaultOf(this.#options.vault) }
      this.#swap(await build(await load(), options))
    })
    this.#replacing = replaced.catch(() => {})
    return replaced
  }

  /** Resolves when every table is closed. */
  async close(): Promise<void> {
    await this.#replacing
    this.#retire(this.#current)
    await Promise.all(this.#retiring)
  }

  #swap(table: ProxyTable): void {
    const old = this.#current
    // What is known of a target is as true as before; without it, requests would go to dead ones again.
    for (const [name, { balancer }] of table.upstreams) {
      const known = old.table.upstreams.get(name)
      if (known !== undefined) balancer.inherit(known.balancer)
    }
    table.plugins.inherit(old.table.plugins)
    this.#current = new Generation(table)
    table.startChecks()
    this.#retire(old)
  }

  #retire(generation: Generation): void {
    const retired = generation.retire(this.#options.drainTimeoutMs)
    this.#retiring.add(retired)
    const forget = () => void this.#retiring.delete(retired)
    retired.then(forget, error => {
      forget()
      this.#options.log.error({}, `a replaced config was not closed in order: ${error}`)
    })
  }
}

async function build({ config, explain }: LoadedConfig, options: TableOptions): Promise<ProxyTable> {
  try {
    return await buildTable(config, options)
  } catch (error) {
    throw explain(error)
  }
}
