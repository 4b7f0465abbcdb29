import type { Socket } from 'node:net'
import type { Engine } from '../commands/command.ts'
import { databaseOf, dispatch, errorReply } from '../commands/dispatch.ts'
import { CommandError } from '../errors.ts'
import { type Frame, FrameReader, frame, ProtocolError } from './frame.ts'
import { messageParts, opMsg, parseMessage } from './op-msg.ts'
import { opQuery, opReply, parseQuery, replyParts } from './op-query.ts'

/** Serves one client until either side ends the connection. Bytes that are no message end it. */
export function serveConnection(socket: Socket, id: number, engine: Engine): void {
  const reader = new FrameReader()
  let lastReply = 0
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy()) // a reset by the client is no concern of the server
  socket.on('drain', () => socket.resume())
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) answer(message)
    } catch {
      // Bytes that are no message, or a message that nothing can be made of. Replies to the good ones before it leave.
      engine.database.whenSafe(() => socket.end(() => socket.destroy()))
      socket.removeAllListeners('data').resume()
    }
  })

  function answer(message: Frame): void {
    const reply = handle(message, id, engine)
    if (!reply) return
    // Also a reading reply waits: it may show what another client has written but is not safe yet.
    engine.database.whenSafe(failure => {
      if (socket.destroyed) return
      const parts = failure ? reply.wrap(errorReply(storageError(failure))) : reply.wrap(reply.document)
      const sent = socket.write(frame(reply.opcode, ++lastReply, message.requestId, parts))
      if (!sent) socket.pause() // until the client has read what it asked for
    })
  }
}

interface Reply {
  readonly opcode: number
  readonly document: Uint8Array
  readonly wrap: (document: Uint8Array) => Uint8Array[]
}

function handle(message: Frame, id: number, engine: Engine): Reply | undefined {
  if (message.opcode === opMsg) {
    const { document, silent } = handleMessage(message.body, id, engine)
    return silent ? undefined : { opcode: opMsg, document, wrap: messageParts }
  }
  if (message.opcode === opQuery)
    return { opcode: opReply, document: handleQuery(message.body, id, engine), wrap: replyParts }
  throw new ProtocolError(`opcode ${message.opcode} is not supported`)
}

function handleMessage(bytes: Buffer, id: number, engine: Engine): { document: Uint8Array; silent: boolean } {
  try {
    const { body, moreToCome } = parseMessage(bytes)
    return { document: dispatch(body, databaseOf(body), id, engine), silent: moreToCome }
  } catch (error) {
    if (error instanceof CommandError) return { document: errorReply(error), silent: false }
    throw error
  }
}

/** The legacy protocol carries the handshake only, as in MongoDB since 5.1. */
function handleQuery(bytes: Buffer, id: number, engine: Engine): Uint8Array {
  try {
    const { body, database } = parseQuery(bytes)
    const [name = ''] = Object.keys(body)
    if (!/^(hello|ismaster)$/i.test(name))
      throw new CommandError(
        'CommandNotFound',
        `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`,
      )
    return dispatch(body, database, id, engine)
  } catch (error) {
    if (error instanceof CommandError) return errorReply(error)
    throw error
  }
}

const storageError = (failure: Error): CommandError =>
  new CommandError('InternalError', `the write could not be stored: ${failure.message}`)
