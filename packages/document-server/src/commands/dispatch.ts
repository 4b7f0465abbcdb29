import { Double, Int32 } from 'bson'
import { assertHarmless, type Doc, encode } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import type { Client } from '../client.ts'
import { CommandError, fail } from '../errors.ts'
import { commandVariables } from '../expression/let.ts'
import { Pace } from '../pace.ts'
import { assertName } from '../storage/catalog.ts'
import { storageError } from '../storage/database.ts'
import { aggregate } from './aggregate.ts'
import { collectionCommands } from './collections.ts'
import { type Command, type Engine, Options, type Reply, type Request } from './command.ts'
import { findCommands } from './find.ts'
import { findAndModify } from './find-and-modify.ts'
import { handshakeCommands, sessionKey } from './handshake.ts'
import { indexCommands } from './indexes.ts'
import { saslCommands } from './sasl.ts'
import { assertStableApi } from './stable-api.ts'
import { writeCommands } from './write.ts'

/** Every command of this server. Any other name is refused with code 59. */
export const commands: Readonly<Record<string, Command>> = {
  ...handshakeCommands,
  ...saslCommands,
  ...writeCommands,
  ...findCommands,
  ...collectionCommands,
  ...indexCommands,
  aggregate,
  findAndModify,
  findandmodify: findAndModify,
}

/** Fields that any command may have. */
const general =
  '$db lsid $readPreference $clusterTime readConcern writeConcern maxTimeMS comment apiVersion apiStrict apiDeprecationErrors'

/** Runs one command and returns the encoded reply. Every failure becomes a reply as well. */
export async function dispatch(body: Doc, database: string, client: Client, engine: Engine): Promise<Uint8Array> {
  try {
    engine.database.settle()
    const { failures } = engine.database
    const reply = await run(body, database, client, engine)
    // The commit of what it wrote may have failed meanwhile.
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
  if (!command) return fail(`no such command: '${name}'`, 'CommandNotFound')
  if (client.user === undefined && !command.open) fail(`Command ${name} requires authentication`, 'Unauthorized')
  const options = new Options(body, name).allow(`${name} ${general} ${command.options}`)
  if (command.admin && database !== 'admin') fail(`${name} may only be run against the admin database.`, 'Unauthorized')
  assertName(database, 'any')
  assertConcerns(options)
  assertStableApi(name, options)
  const pace = new Pace(client, options.count('maxTimeMS'))
  pace.startDocument()
  const variables = commandVariables(options.doc('let') ?? {})
  const session = sessionKey(options.doc('lsid'))
  const request: Request = { name, database, options, client, session, pace, variables }
  return command.writes ? engine.database.write(() => command.run(request, engine)) : command.run(request, engine)
}

function assertNoTransaction(name: string, body: Doc): void {
  if (/^(commit|abort|coordinateCommit)Transaction$/.test(name) || 'autocommit' in body || 'startTransaction' in body)
    fail('multi-document transactions are not supported by this server', 'OperationNotSupportedInTransaction')
  // MongoDB's own words, by which drivers recognize a server without retryable writes.
  if ('txnNumber' in body)
    fail('Transaction numbers are only allowed on a replica set member or mongos', 'IllegalOperation')
}

function assertConcerns(options: Options): void {
  if (options.doc('readConcern')?.level === 'snapshot')
    fail("readConcern level 'snapshot' is not supported by this server", 'InvalidOptions')
  const w = options.doc('writeConcern')?.w
  if (isNumeric(w) && toNumber(w) > 1) fail("cannot use 'w' > 1 when a host is not replicated")
}

/** The reply to a client whose command failed. */
export function errorReply(error: unknown): Uint8Array {
  const { code, codeName, message, details } =
    error instanceof CommandError ? error : (storageError(error) ?? unexpected(error))
  return encode({ ok: new Double(0), errmsg: message, code: new Int32(code), codeName, ...details })
}

function unexpected(error: unknown): CommandError {
  if (error instanceof RangeError) return new CommandError('Overflow', 'the command is too large or too deep')
  process.emitWarning(error instanceof Error ? error : String(error))
  return new CommandError('InternalError', 'an unexpected error inside this server')
}
