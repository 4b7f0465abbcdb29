import type { Client } from '../client.ts'
import type { Engine } from '../commands/command.ts'
import { databaseOf, dispatch, errorReply } from '../commands/dispatch.ts'
import { CommandError } from '../errors.ts'
import { type Frame, ProtocolError } from './frame.ts'
import { messageParts, opMsg, parseMessage } from './op-msg.ts'
import { opQuery, opReply, parseQuery, replyParts } from './op-query.ts'

export interface Reply {
  readonly opcode: number
  readonly document: Uint8Array
  readonly wrap: (document: Uint8Array) => Uint8Array[]
}

/** The reply to a message; undefined when the client wants none. @throws ProtocolError for what is no message */
export async function answerTo(message: Frame, client: Client, engine: Engine): Promise<Reply | undefined> {
  if (message.opcode === opMsg) {
    const { document, silent } = await handleMessage(message.body, client, engine)
    return silent ? undefined : { opcode: opMsg, document, wrap: messageParts }
  }
  if (message.opcode === opQuery)
    return { opcode: opReply, document: await handleQuery(message.body, client, engine), wrap: replyParts }
  throw new ProtocolError(`opcode ${message.opcode} is not supported`)
}

async function handleMessage(
  bytes: Buffer,
  client: Client,
  engine: Engine,
): Promise<{ document: Uint8Array; silent: boolean }> {
  try {
    const { body, moreToCome } = parseMessage(bytes)
    return { document: await dispatch(body, databaseOf(body), client, engine), silent: moreToCome }
  } catch (error) {
    if (error instanceof CommandError) return { document: errorReply(error), silent: false }
    throw error
  }
}

/** The legacy protocol carries the handshake only, as in MongoDB since 5.1. */
async function handleQuery(bytes: Buffer, client: Client, engine: Engine): Promise<Uint8Array> {
  try {
    const { body, database } = parseQuery(bytes)
    const [name = ''] = Object.keys(body)
    if (!/^(hello|ismaster)$/i.test(name))
      throw new CommandError(
        'CommandNotFound',
        `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`,
      )
    return await dispatch(body, database, client, engine)
  } catch (error) {
    if (error instanceof CommandError) return errorReply(error)
    throw error
  }
}
