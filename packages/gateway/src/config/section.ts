import type { Unsupported } from './unsupported.ts'

/**
 * A mapping of the config, read field by field. Every getter checks the type. `finish` refuses the fields that were not read, so that
 * a misspelt or unsupported field prevents the start instead of being ignored: it might have been an access rule.
 */
export class Section {
  readonly place: string
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #seen = new Set<string>()

  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw configError(place, 'must be a mapping')
    this.place = place
    this.#fields = new Map(Object.entries(value))
  }

  at(name: string): string {
    return this.place === '' ? name : `${this.place}.${name}`
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  /** For mappings whose names are chosen by the config's author. */
  names(): string[] {
    return [...this.#fields.keys()]
  }

  raw(name: string): unknown {
    this.#seen.add(name)
    return this.#fields.get(name)
  }

  optionalString(name: string): string | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    return nonEmptyString(value, this.at(name))
  }

  string(name: string): string {
    const value = this.optionalString(name)
    if (value === undefined) throw configError(this.at(name), 'is required')
    return value
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.raw(name)
    if (value === undefined) return fallback
    if (typeof value !== 'boolean') throw configError(this.at(name), 'must be true or false')
    return value
  }

  number(name: string, fallback: number, range: { min: number; max: number; integer: boolean }): number {
    const value = this.raw(name)
    if (value === undefined) return fallback
    const fits = typeof value === 'number' && value >= range.min && value <= range.max
    if (!fits || (range.integer && !Number.isInteger(value))) {
      const kind = range.integer ? 'a whole number' : 'a number'
      throw configError(this.at(name), `must be ${kind} from ${range.min} to ${range.max}`)
    }
    return value
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.raw(name)
    if (value === undefined) return fallback
    const found = allowed.find(each => each === value)
    if (found === undefined) throw configError(this.at(name), `must be one of ${allowed.join(', ')}`)
    return found
  }

  list<T>(name: string, read: (value: unknown, place: string) => T): T[] | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw configError(this.at(name), 'must be a list')
    return value.map((item, index) => read(item, `${this.at(name)}[${index}]`))
  }

  /** A list of things with names of their own. */
  namedList<T extends { readonly name: string }>(name: string, read: (value: unknown, place: string) => T): T[] {
    const names = new Set<string>()
    const list = this.list(name, (value, place) => {
      const item = read(value, place)
      if (names.has(item.name)) throw configError(place, `the name "${item.name}" is used twice`)
      names.add(item.name)
      return item
    })
    return list ?? []
  }

  /** A setting that has to be absent, or to have the one value that this gateway supports. */
  fixed(name: string, only: boolean | string, reason?: string): void {
    const value = this.raw(name)
    if (value === undefined || value === only) return
    throw configError(
      this.at(name),
      `only ${only} is supported${reason ? `: ${reason}` : `, not ${JSON.stringify(value)}`}`,
    )
  }

  /** A list that restricts something. An empty one would restrict nothing, which nobody means. */
  restriction<T>(name: string, read: (value: unknown, place: string) => T): T[] | undefined {
    const list = this.list(name, read)
    if (list?.length === 0)
      throw configError(this.at(name), 'must not be empty: leave the field out to match everything')
    return list
  }

  /** The whole mapping, for comparison with another. */
  text(): string {
    return JSON.stringify([...this.#fields])
  }

  /** Refuses the fields that were not read. `unsupported` gives the reasons for those that Kong has. */
  finish(unsupported: Unsupported = {}): void {
    for (const name of this.#fields.keys()) {
      if (this.#seen.has(name)) continue
      const reason = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined
      throw configError(this.at(name), reason ? `not supported by this gateway: ${reason}` : 'unknown field')
    }
  }
}

export function nonEmptyString(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '') throw configError(place, 'must be a non-empty string')
  return value
}

/** The config cannot be used. `message` is one line with the place (`services[0].routes[1].paths[0]: …`) and the fault. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError'
}

/** Makes the error for a fault at a place in the config. */
export function configError(place: string, fault: string): GatewayConfigError {
  const error = new GatewayConfigError(place === '' ? fault : `${place}: ${fault}`)
  places.set(error, place)
  return error
}

/** Adds the file and the line to an error that names a place in the file. Returns any other error as it is. */
export function inFile(file: string, lineOf: (place: string) => number, error: unknown): unknown {
  const place = error instanceof GatewayConfigError ? places.get(error) : undefined
  if (place === undefined || !(error instanceof Error)) return error
  return new GatewayConfigError(`config ${file}:${lineOf(place)} is invalid at ${error.message}`, { cause: error })
}

const places = new WeakMap<GatewayConfigError, string>()
