import type { Doc } from '../bson/document.ts'
import type { Cursors } from '../cursors.ts'
import { CommandError } from '../errors.ts'
import type { Catalog } from '../storage/catalog.ts'
import type { Collection } from '../storage/collection.ts'
import type { Database } from '../storage/database.ts'
import type { Options } from './options.ts'

/** What all commands work on. */
export interface Engine {
  readonly database: Database
  readonly catalog: Catalog
  readonly cursors: Cursors
}

/** One command as it arrived. */
export interface Request {
  /** The command's name as registered (`isMaster` and `ismaster` are two names of one). */
  readonly name: string
  readonly database: string
  readonly options: Options
  readonly connectionId: number
  /** The client session in hexadecimal. */
  readonly session: string | undefined
  /** Throws when `maxTimeMS` has passed. */
  readonly tick: () => void
}

export interface Command {
  /** Accepted options besides the general ones; any other is refused with code 40415. */
  readonly options: readonly string[]
  /** Whether it may run on the `admin` database only. */
  readonly admin?: boolean
  /** Runs in a transaction that is undone when it throws. */
  readonly writes?: boolean
  /** Gives the reply without `ok: 1`, or a complete encoded one. */
  run(request: Request, engine: Engine): Doc | Uint8Array
}

/** The name of the collection a command is about: the value of its first field. */
export function collectionName(request: Request): string {
  const name = request.options.text(request.name)
  if (name === undefined || name === '')
    throw new CommandError('InvalidNamespace', `Invalid namespace specified '${request.database}.'`)
  return name
}

export function findCollection(request: Request, engine: Engine): Collection | undefined {
  return engine.catalog.find(request.database, collectionName(request))
}
