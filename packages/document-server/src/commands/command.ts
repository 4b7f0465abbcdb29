import type { Credentials } from '../auth/credentials.ts'
import type { Doc } from '../bson/document.ts'
import type { Client } from '../client.ts'
import type { Cursors } from '../cursors.ts'
import { CommandError } from '../errors.ts'
import type { Pace } from '../pace.ts'
import type { Catalog } from '../storage/catalog.ts'
import type { Collection } from '../storage/collection.ts'
import type { Database } from '../storage/database.ts'
import type { Options } from './options.ts'

/** What all commands work on. */
export interface Engine {
  readonly database: Database
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly credentials: Credentials
}

/** One command as it arrived. */
export interface Request {
  /** The command's name as registered (`isMaster` and `ismaster` are two names of one). */
  readonly name: string
  readonly database: string
  readonly options: Options
  readonly client: Client
  /** The client session in hexadecimal. */
  readonly session: string | undefined
  /** Its time, `maxTimeMS`. */
  readonly pace: Pace
}

export type Reply = Doc | Uint8Array

export interface Command {
  /** Accepted options besides the general ones; any other is refused with code 40415. */
  readonly options: readonly string[]
  /** Whether it may run on the `admin` database only. */
  readonly admin?: boolean
  /** Answered to clients that have not signed in. */
  readonly open?: boolean
  /** Runs in one transaction, at once, and is undone when it throws. */
  readonly writes?: boolean
  /** Gives the reply without `ok: 1`, or a complete encoded one. */
  run(request: Request, engine: Engine): Reply | Promise<Reply>
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
