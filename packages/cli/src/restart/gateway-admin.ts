import { readFile } from 'node:fs/promises'
import { CliError } from '../errors.ts'

const TIMEOUT_MS = 5000

/** The part of Kong's Admin API that takes instances out of the load balancing and puts them back. */
export class GatewayAdmin {
  readonly #url: string
  readonly #tokenFile: string

  /** @param tokenFile where the gateway writes its token, a new one at each start */
  constructor(url: string, tokenFile: string) {
    this.#url = url
    this.#tokenFile = tokenFile
  }

  /** The targets of every upstream, each with its state. @throws CliError if the gateway does not answer */
  async targets(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const { data } = await this.#get<{ data: { name: string }[] }>('/upstreams')
    const states = data.map(async ({ name }) => {
      const health = await this.#get<{ data: { target: string; health: string }[] }>(`/upstreams/${name}/health`)
      return [name, new Map(health.data.map(each => [each.target, each.health]))] as const
    })
    return new Map(await Promise.all(states))
  }

  /** Makes sure that the gateway knows every target, as an unknown instance would get no requests. @throws CliError */
  async requireTargets(wanted: readonly string[], configFile: string): Promise<void> {
    const known = new Set([...(await this.targets()).values()].flatMap(targets => [...targets.keys()]))
    const unknown = wanted.filter(target => !known.has(target))
    if (unknown.length > 0)
      throw new CliError(
        `${configFile} has no target ${unknown.join(', ')}: add it to the upstreams, or ask for fewer replicas`,
      )
  }

  /** @throws CliError */
  async mark(upstream: string, target: string, state: 'healthy' | 'unhealthy'): Promise<void> {
    await this.#ask('PUT', `/upstreams/${upstream}/targets/${target}/${state}`)
  }

  /** Sends new requests for a name in the config to another address. @throws CliError */
  async move(target: string, address: string): Promise<void> {
    await this.#ask('PUT', `/resolve/${target}/${address}`)
  }

  /** The number of requests in progress that began before the last {@link move}. @throws CliError */
  async earlier(): Promise<number> {
    return (await this.#get<{ earlier: number }>('/resolve')).earlier
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await this.#ask('GET', path)).json()) as T
  }

  async #ask(method: string, path: string): Promise<Response> {
    try {
      const headers = { authorization: `Bearer ${(await readFile(this.#tokenFile, 'utf8')).trim()}` }
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const answer = await fetch(`${this.#url}${path}`, { method, headers, signal })
      if (answer.ok) return answer
      throw new Error(`it answered ${answer.status}`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new CliError(`the gateway's admin API failed at ${method} ${path}: ${why}`)
    }
  }
}
