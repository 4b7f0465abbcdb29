import type { Credentials } from '../auth/credentials.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import type { Client } from '../client.ts'
import type { CursorOptions, Cursors } from '../cursors.ts'
import { fail } from '../errors.ts'
import type { Variables } from '../expression/scope.ts'
import type { Pace } from '../pace.ts'
import type { Catalog } from '../storage/catalog.ts'
import type { Collection } from '../storage/collection.ts'
import type { Database } from '../storage/database.ts'

/** What all commands work on. */
export interface Engine {
  readonly database: Database
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly credentials: Credentials
}

/** One command as it arrived. */
export interface Request {
  /** The command's name as registered: `isMaster` and `ismaster` are two names of one command. */
  readonly name: string
  readonly database: string
  readonly options: Options
  readonly client: Client
  /** The client session in hexadecimal. */
  readonly session: string | undefined
  /** Enforces `maxTimeMS`. */
  readonly pace: Pace
  /** The values of its `let`, and `NOW`. */
  readonly variables: Variables
}

export type Reply = Doc | Uint8Array

export interface Command {
  /** The accepted options besides the general ones, separated by spaces. Any other is refused with code 40415. */
  readonly options: string
  /** Whether it may run on the `admin` database only. */
  readonly admin?: boolean
  /** Whether clients may run it before they have signed in. */
  readonly open?: boolean
  /** Whether it runs in one transaction, without pauses, and is undone if it throws. */
  readonly writes?: boolean
  /** Returns the reply without `ok: 1`, or a complete encoded reply. */
  run(request: Request, engine: Engine): Reply | Promise<Reply>
}

/** The name of the collection that a command is about, which is the value of its first field. */
export function collectionName(request: Request): string {
  return (
    request.options.text(request.name) || fail(`Invalid namespace specified '${request.database}.'`, 'InvalidNamespace')
  )
}

export function findCollection(request: Request, engine: Engine): Collection | undefined {
  return engine.catalog.find(request.database, collectionName(request))
}

/** Answers with the first batch of the documents. `name`: the collection, or what stands for it. */
export function replyWithCursor(
  request: Request,
  engine: Engine,
  name: string,
  documents: AsyncIterable<Uint8Array>,
  options: Partial<CursorOptions>,
): Promise<Uint8Array> {
  const { pace, session, database } = request
  return engine.cursors.start(documents, { pace, session, namespace: `${database}.${name}`, ...options })
}

/** Reads the typed options of a command or of one of its statements. Null means not given. */
export class Options {
  readonly #doc: Doc
  readonly #name: string

  /** @param name the command (and statement) for messages, such as `update.updates` */
  constructor(doc: Doc, name: string) {
    this.#doc = doc
    this.#name = name
  }

  /**
   * @param names separated by spaces
   * @throws CommandError 40415 for a field that is not among them; 115 for a collation other than `simple`, which changes nothing
   */
  allow(names: string): this {
    const allowed = names.trim().split(' ')
    for (const key of Object.keys(this.#doc))
      if (!allowed.includes(key)) fail(`BSON field '${this.#name}.${key}' is an unknown field.`, 'IDLUnknownField')
    return this.refuse('collation', value => isDoc(value) && value.locale === 'simple')
  }

  /** @throws CommandError if an option that this server cannot honour has a value that would matter */
  refuse(name: string, isHarmless: (value: unknown) => boolean = value => value === false): this {
    const value = this.raw(name)
    if (value !== undefined && !isHarmless(value))
      fail(`the option '${name}' of ${this.#name} is not supported by this server`, 'CommandNotSupported')
    return this
  }

  raw(name: string): unknown {
    const value = Object.hasOwn(this.#doc, name) ? this.#doc[name] : undefined
    return value === null ? undefined : value
  }

  doc(name: string): Doc | undefined {
    return this.#typed(name, 'object', isDoc)
  }

  array(name: string): unknown[] | undefined {
    return this.#typed(name, 'array', Array.isArray)
  }

  docs(name: string): Doc[] | undefined {
    return this.array(name)?.map(value => (isDoc(value) ? value : this.#wrongType(name, value, 'object')))
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'string', value => typeof value === 'string')
  }

  bool(name: string, otherwise = false): boolean {
    const value = this.raw(name)
    if (isNumeric(value)) return toNumber(value) !== 0
    return this.#typed(name, 'bool', value => typeof value === 'boolean') ?? otherwise
  }

  number(name: string): number | undefined {
    const value = this.#typed(name, 'number', isNumeric)
    return value === undefined ? undefined : Math.trunc(toNumber(value))
  }

  /** A count: zero or more. */
  count(name: string): number | undefined {
    const value = this.number(name)
    if (value !== undefined && !(value >= 0)) fail(`BSON field '${name}' value must be >= 0, actual value '${value}'`)
    return value
  }

  #typed<T>(name: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name)
    return value === undefined || is(value) ? value : this.#wrongType(name, value, expected)
  }

  #wrongType(name: string, value: unknown, expected: string): never {
    return fail(
      `BSON field '${this.#name}.${name}' is the wrong type '${typeName(value)}', expected type '${expected}'`,
      'TypeMismatch',
    )
  }
}
