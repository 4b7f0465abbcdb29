import { once } from 'node:events'
import type { Socket } from 'node:net'
import { newClient } from '../client.ts'
import type { Engine } from '../commands/command.ts'
import { errorReply } from '../commands/dispatch.ts'
import { answerTo, type Reply } from './answer.ts'
import { type Frame, FrameReader, frame, maxMessageBytes } from './frame.ts'

/** Longest message before somebody has signed in: a handshake has a few hundred bytes. */
const maxStrangerBytes = 65_536
/** Messages that wait on one connection before no more are read. */
const mostWaiting = 100
/** Replies longer than this have to leave before the next message is worked on. */
const longReply = 65_536

/** One client's connection. */
export interface Connection {
  /** Takes no more messages, answers those that were taken, and ends; after `graceMs` whatever is left is ended. */
  finish(graceMs: number): Promise<void>
}

/** Serves one client until either side ends the connection. Bytes that are no message end it. */
export function serveConnection(socket: Socket, id: number, engine: Engine): Connection {
  const client = newClient(id)
  const reader = new FrameReader(() => (client.user === undefined ? maxStrangerBytes : maxMessageBytes))
  const waiting: Frame[] = []
  let lastReply = 0
  let working = false
  let ending = false

  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy()) // a reset by the client is no concern of the server
  socket.on('close', () => {
    client.gone ??= 'left'
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) waiting.push(message)
    } catch {
      end() // the replies to the good messages before it leave
    }
    if (waiting.length > mostWaiting) socket.pause()
    start()
  })

  /** Reads no more. What was read is answered. */
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

  /** Also a reading reply waits: it may show what another client has written but is not safe yet. */
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
