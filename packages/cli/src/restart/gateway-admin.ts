import { readFile } from 'node:fs/promises'
import { CliError } from '../errors.ts'

/** The part of Kong's Admin API that takes instances out of the load balancing and puts them back. */
export class GatewayAdmin {
  readonly #url: string
  readonly #tokenFile: string

  /** `tokenFile`: where the gateway writes what it wants to see; a new one when it is started again. */
  constructor(url: string, tokenFile: string) {
    this.#url = url
    this.#tokenFile = tokenFile
  }

  /** The targets of every upstream, each with its state. @throws CliError when the gateway does not answer */
  async targets(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const { data } = await this.#get<{ data: { name: string }[] }>('/upstreams')
    const states = data.map(async ({ name }) => {
      const health = await this.#get<{ data: { target: string; health: string }[] }>(`/upstreams/${name}/health`)
      return [name, new Map(health.data.map(each => [each.target, each.health]))] as const
    })
    return new Map(await Promise.all(states))
  }

  /** @throws CliError */
  async mark(upstream: string, target: string, state: 'healthy' | 'unhealthy'): Promise<void> {
    await this.#ask('PUT', `/upstreams/${upstream}/targets/${target}/${state}`)
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await this.#ask('GET', path)).json()) as T
  }

  async #ask(method: string, path: string): Promise<Response> {
    try {
      const headers = { authorization: `Bearer ${(await readFile(this.#tokenFile, 'utf8')).trim()}` }
      const answer = await fetch(`${this.#url}${path}`, { method, headers, signal: AbortSignal.timeout(5000) })
      if (answer.ok) return answer
      throw new Error(`it answered ${answer.status}`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new CliError(`the gateway's admin API did not do ${method} ${path}: ${why}`)
    }
  }
}
