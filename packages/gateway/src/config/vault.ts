import { readFileSync } from 'node:fs'
import { configError } from './config-error.ts'

/** What the gateway knows beside its config: the process's environment, unless a test gives another. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What may stand in a reference: `gateway-secret` is the variable `GATEWAY_SECRET`. */
const NAME = /^[a-z0-9-]+$/

/** Where `{vault://env/…}` leads, and which variables a config may read that way. */
export class Vault {
  readonly #env: Environment
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #read = new Set<string>()

  /** `allowed`: names as in references; absent = all. Throws a `TypeError` on one that is no such name. */
  constructor(env: Environment, allowed?: Iterable<string>) {
    this.#env = env
    this.#allowed = allowed && new Set(allowed)
    const wrong = [...(this.#allowed ?? [])].find(name => !NAME.test(name))
    if (wrong !== undefined)
      throw new TypeError(`vault: "${wrong}" must look like gateway-secret, which is the variable GATEWAY_SECRET`)
  }

  /**
   * The vault of a config that somebody sends: it reads what is allowed, and where nobody said what that is, only what this
   * one has given to the operator's own config. Else whoever may post a config could have any variable sent to a server of his own.
   */
  forPosted(): Vault {
    return new Vault(this.#env, this.#allowed ?? this.#read)
  }

  /**
   * A variable, or the content of the file that `<NAME>_FILE` names (Kong itself knows no such files); undefined when the
   * environment has neither. Throws `GatewayConfigError` when it may not be read.
   */
  read(name: string, place: string): string | undefined {
    if (this.#allowed !== undefined && !this.#allowed.has(name)) {
      const known = [...this.#allowed].join(', ') || 'nothing'
      throw configError(
        place,
        `may not read ${name}, only ${known}: start the gateway with --vault ${name} to allow it`,
      )
    }
    this.#read.add(name)
    const variable = name.toUpperCase().replaceAll('-', '_')
    const file = this.#env[`${variable}_FILE`]
    if (!file) return this.#env[variable] || undefined
    try {
      return readFileSync(file, 'utf8').trim()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : error
      throw configError(place, `${variable}_FILE cannot be read (${code})`)
    }
  }
}
