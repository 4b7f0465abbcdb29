import { readFileSync } from 'node:fs'
import { configError, type Section } from './section.ts'

/** Environment variables: those of the process, unless a test passes others. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A name in a reference: `gateway-secret` is the variable `GATEWAY_SECRET`. */
const NAME = /^[a-z0-9-]+$/

/** Resolves `{vault://env/…}`, and decides which variables a config may read that way. */
export class Vault {
  readonly #env: Environment
  readonly #allowed: ReadonlySet<string> | undefined
  readonly #read = new Set<string>()

  /** `allowed`: names as in references; absent for all. Throws a `TypeError` if one of them is malformed. */
  constructor(env: Environment, allowed?: Iterable<string>) {
    this.#env = env
    this.#allowed = allowed && new Set(allowed)
    const wrong = [...(this.#allowed ?? [])].find(name => !NAME.test(name))
    if (wrong !== undefined)
      throw new TypeError(`vault: "${wrong}" must look like gateway-secret, which is the variable GATEWAY_SECRET`)
  }

  /**
   * Returns the vault for a config that is posted to the admin API. It may read the allowed names or, if there is no such list, only
   * the names that the operator's own config has read. Otherwise, whoever may post a config could send any variable to a server of
   * their own.
   */
  forPosted(): Vault {
    return new Vault(this.#env, this.#allowed ?? this.#read)
  }

  /**
   * Returns a variable, or the content of the file named by `<NAME>_FILE` (which Kong does not support); undefined if neither is set.
   * Throws `GatewayConfigError` if the name is not allowed.
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

const REFERENCE = /^\{vault:\/\/env\/([a-z0-9-]+)\}$/

/**
 * Reads an optional secret of a plugin's config: either the value itself, or Kong's reference to the environment,
 * `{vault://env/gateway-secret}`. Returns undefined if the variable is not set.
 */
export function readSecret(section: Section, name: string, vault: Vault): string | undefined {
  const written = section.optionalString(name)
  const reference = written === undefined ? undefined : REFERENCE.exec(written)?.[1]
  const value = reference === undefined ? written : vault.read(reference, section.at(name))
  if (value !== undefined && Buffer.byteLength(value) < 32)
    throw configError(section.at(name), 'has to be 32 bytes or more')
  return value
}
