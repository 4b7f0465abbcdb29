import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import { CommandError } from '../errors.ts'

/** Reads the typed options of a command or of one of its statements. Null means not given. */
export class Options {
  readonly #doc: Doc
  readonly #name: string

  /** @param name command (and statement) for messages, such as `update.updates` */
  constructor(doc: Doc, name: string) {
    this.#doc = doc
    this.#name = name
  }

  /** @throws CommandError 40415 for a field that is not in the list */
  allow(names: readonly string[]): this {
    for (const key of Object.keys(this.#doc))
      if (!names.includes(key))
        throw new CommandError('IDLUnknownField', `BSON field '${this.#name}.${key}' is an unknown field.`)
    return this
  }

  /** @throws CommandError when an option that this server cannot honour has a value that would matter */
  refuse(name: string, harmless: (value: unknown) => boolean = () => false): this {
    const value = this.raw(name)
    if (value !== undefined && !harmless(value))
      throw new CommandError(
        'CommandNotSupported',
        `the option '${name}' of ${this.#name} is not supported by this server`,
      )
    return this
  }

  raw(name: string): unknown {
    const value = Object.hasOwn(this.#doc, name) ? this.#doc[name] : undefined
    return value === null ? undefined : value
  }

  doc(name: string): Doc | undefined {
    const value = this.raw(name)
    return value === undefined || isDoc(value) ? value : this.#wrong(name, value, 'object')
  }

  array(name: string): unknown[] | undefined {
    const value = this.raw(name)
    return value === undefined || Array.isArray(value) ? value : this.#wrong(name, value, 'array')
  }

  docs(name: string): Doc[] | undefined {
    return this.array(name)?.map(value => (isDoc(value) ? value : this.#wrong(name, value, 'object')))
  }

  text(name: string): string | undefined {
    const value = this.raw(name)
    return value === undefined || typeof value === 'string' ? value : this.#wrong(name, value, 'string')
  }

  bool(name: string): boolean {
    const value = this.raw(name)
    if (isNumeric(value)) return toNumber(value) !== 0
    return value === undefined ? false : typeof value === 'boolean' ? value : this.#wrong(name, value, 'bool')
  }

  number(name: string): number | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    return isNumeric(value) ? Math.trunc(toNumber(value)) : this.#wrong(name, value, 'number')
  }

  /** A count: zero or more. */
  count(name: string): number | undefined {
    const value = this.number(name)
    if (value !== undefined && !(value >= 0))
      throw new CommandError('BadValue', `BSON field '${name}' value must be >= 0, actual value '${value}'`)
    return value
  }

  #wrong(name: string, value: unknown, expected: string): never {
    throw new CommandError(
      'TypeMismatch',
      `BSON field '${this.#name}.${name}' is the wrong type '${typeName(value)}', expected type '${expected}'`,
    )
  }
}

/** The collation that changes nothing. */
export const isSimpleCollation = (value: unknown): boolean => isDoc(value) && value.locale === 'simple'
