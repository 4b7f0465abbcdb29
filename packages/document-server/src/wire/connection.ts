import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Client } from '../client.ts'
import type { Engine } from '../commands/command.ts'
import { dispatch, errorReply } from '../commands/dispatch.ts'
import { CommandError } from '../errors.ts'
import {
  type Frame,
  FrameReader,
  frame,
  maxMessageBytes,
  messageParts,
  opMsg,
  opQuery,
  opReply,
  ProtocolError,
  parseMessage,
  parseQuery,
  replyParts,
} from './messages.ts'

/** The longest message before the client has signed in. A handshake has a few hundred bytes. */
const maxStrangerBytes = 65_536
/** The number of waiting messages at which a connection stops reading. */
const mostWaiting = 100
/** Replies longer than this have to be sent before the next message is handled. */
const longReply = 65_536

/** One client's connection. */
export interface Connection {
  /** Accepts no more messages, answers those it has, and ends. Ends whatever is left after `graceMs`. */
  finish(graceMs: number): Promise<void>
}

/** Serves one client until either side ends the connection, or until its bytes are not a message. */
export function serveConnection(socket: Socket, id: number, engine: Engine): Connection {
  const client = new Client(id)
  const reader = new FrameReader(() => (client.user === undefined ? maxStrangerBytes : maxMessageBytes))
  const waiting: Frame[] = []
  let lastReply = 0
  let working = false
  let ending = false

  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy()) // for example a reset by the client
  socket.on('close', () => {
    client.gone ??= 'left'
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) waiting.push(message)
    } catch {
      end() // the messages before it are still answered
    }
    if (waiting.length > mostWaiting) socket.pause()
    start()
  })

  /** Stops reading. What has been read is answered. */
  function end(): void {
    ending = true
    socket.removeAllListeners('data').resume()
    start()
  }

  function start(): void {
    if (working) return
    working = true
    void work()
      .catch(() => socket.destroy())
      .finally(() => {
        working = false
        if (waiting.length > 0 && !socket.destroyed) start()
        else if (ending) engine.database.whenSafe(() => socket.end(() => socket.destroy()))
        else socket.resume()
      })
  }

  async function work(): Promise<void> {
    for (let message = waiting.shift(); message && !socket.destroyed; message = waiting.shift()) {
      if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
      const reply = await answerTo(message, client, engine)
      if (reply) await send(reply, message.requestId)
      if (client.gone !== undefined) waiting.length = 0
    }
    if (client.gone !== undefined) ending = true
  }

  /** Waits for the commit, even for a read: it may show what another client has written and is not safe yet. */
  function send(reply: Reply, requestId: number): Promise<void> | undefined {
    const sent = Promise.withResolvers<void>()
    engine.database.whenSafe(failure => {
      sent.resolve()
      if (socket.destroyed) return
      const parts = reply.wrap(failure ? errorReply(failure) : reply.document)
      socket.write(frame(reply.opcode, ++lastReply, requestId, parts))
    })
    return reply.document.byteLength > longReply ? sent.promise : undefined
  }

  return {
    async finish(graceMs) {
      const closed = once(socket, 'close').catch(() => undefined)
      const timer = setTimeout(() => {
        client.gone ??= 'closing'
        setTimeout(() => socket.destroy(), graceMs).unref()
      }, graceMs)
      end()
      if (!socket.destroyed) await closed
      clearTimeout(timer)
    },
  }
}

interface Reply {
  readonly opcode: number
  readonly document: Uint8Array
  readonly wrap: (document: Uint8Array) => Uint8Array[]
}

/** The reply to a message, or undefined if the client wants none. @throws ProtocolError for an invalid message */
async function answerTo({ opcode, body: bytes }: Frame, client: Client, engine: Engine): Promise<Reply | undefined> {
  if (opcode !== opMsg && opcode !== opQuery) throw new ProtocolError(`opcode ${opcode} is not supported`)
  const isMessage = opcode === opMsg
  const form = isMessage ? { opcode: opMsg, wrap: messageParts } : { opcode: opReply, wrap: replyParts }
  try {
    const { body, database, moreToCome } = isMessage ? parseMessage(bytes) : parseQuery(bytes)
    const document = await dispatch(body, database, client, engine)
    return moreToCome ? undefined : { ...form, document }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { ...form, document: errorReply(error) }
  }
}
