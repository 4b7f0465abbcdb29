import { Double, Int32 } from 'bson'
import { assertHarmless, type Doc, encode } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../errors.ts'
import { Pace } from '../pace.ts'
import { assertName } from '../storage/catalog.ts'
import { storageError } from '../storage/storage-error.ts'
import type { Command, Engine, Reply, Request } from './command.ts'
import { sessionKey } from './handshake.ts'
import { Options } from './options.ts'
import { commands } from './table.ts'

/** Fields any command may have. */
const general = [
  '$db',
  'lsid',
  '$readPreference',
  '$clusterTime',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
]

/** Runs one command and gives the encoded reply; every failure becomes a reply. */
export async function dispatch(body: Doc, database: string, client: Client, engine: Engine): Promise<Uint8Array> {
  try {
    engine.database.settle()
    const { failures } = engine.database
    const reply = await run(body, database, client, engine)
    // What it wrote may have been committed meanwhile, or not.
    const failure = engine.database.failures > failures ? engine.database.lastFailure : undefined
    if (failure) throw failure
    return reply instanceof Uint8Array ? reply : encode({ ...reply, ok: new Double(1) })
  } catch (error) {
    return errorReply(error)
  }
}

async function run(body: Doc, database: string, client: Client, engine: Engine): Promise<Reply> {
  assertHarmless(body)
  const [name = ''] = Object.keys(body)
  assertNoTransaction(name, body)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new CommandError('CommandNotFound', `no such command: '${name}'`)
  if (client.user === undefined && !command.open)
    throw new CommandError('Unauthorized', `Command ${name} requires authentication`)
  const options = new Options(body, name).allow([name, ...general, ...command.options])
  if (command.admin && database !== 'admin')
    throw new CommandError('Unauthorized', `${name} may only be run against the admin database.`)
  assertName(database, 'any')
  assertConcerns(options)
  const request: Request = {
    name,
    database,
    options,
    client,
    session: sessionKey(options.doc('lsid')),
    pace: new Pace(client, options.count('maxTimeMS')),
  }
  return runCommand(command, request, engine)
}

function runCommand(command: Command, request: Request, engine: Engine): Reply | Promise<Reply> {
  request.pace.tick()
  return command.writes ? engine.database.write(() => command.run(request, engine)) : command.run(request, engine)
}

function assertNoTransaction(name: string, body: Doc): void {
  if (/^(commit|abort|coordinateCommit)Transaction$/.test(name) || 'autocommit' in body || 'startTransaction' in body)
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      'multi-document transactions are not supported by this server',
    )
  // The words are MongoDB's: drivers know them as "this server has no retryable writes".
  if ('txnNumber' in body)
    throw new CommandError('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos')
}

function assertConcerns(options: Options): void {
  const level = options.doc('readConcern')?.level
  if (level === 'snapshot')
    throw new CommandError('InvalidOptions', "readConcern level 'snapshot' is not supported by this server")
  const w = options.doc('writeConcern')?.w
  if (isNumeric(w) && toNumber(w) > 1)
    throw new CommandError('BadValue', "cannot use 'w' > 1 when a host is not replicated")
}

/** What a client is told of a failure. Unexpected ones are named without the inner workings. */
export function errorReply(error: unknown): Uint8Array {
  const known = error instanceof CommandError ? error : (storageError(error) ?? internal(error))
  return encode({
    ok: new Double(0),
    errmsg: known.message,
    code: new Int32(known.code),
    codeName: known.codeName,
    ...known.details,
  })
}

function internal(error: unknown): CommandError {
  if (error instanceof RangeError)
    return new CommandError('Overflow', `the command is too large or too deep: ${error.message}`)
  return new CommandError('InternalError', error instanceof Error ? error.message : String(error))
}

/** The database a message is for. */
export function databaseOf(body: Doc): string {
  return typeof body.$db === 'string' ? body.$db : ''
}
