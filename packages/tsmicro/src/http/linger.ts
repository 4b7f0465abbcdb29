import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How long a client may continue to send after it has been answered. */
export const LINGER_MS = 10_000

/**
 * If the connection of this request is closed after an early answer, lets it wait up to `ms` for what the client is still sending
 * (nginx calls this a lingering close). Closing at once would reset the connection, and the reset discards the answer that the
 * client has not read yet: a gateway makes a 502 of that.
 */
export function lingerOnClose(req: IncomingMessage, ms: number): void {
  const { socket } = req
  const closeNow = () => Socket.prototype.destroySoon.call(socket)
  socket.destroySoon = () => {
    if (req.complete) return closeNow()
    req.once('end', closeNow)
    endAndLinger(socket, ms)
    req.resume()
  }
}

/** Sends the last bytes of a connection, and leaves closing it to the client for up to `ms`. The caller has to keep reading. */
export function endAndLinger(socket: Duplex, ms: number, last = ''): void {
  socket.end(last)
  destroyLater(socket, ms, socket)
}

export function destroyLater(socket: Duplex, ms: number, unlessClosed: NodeJS.EventEmitter): void {
  const timer = setTimeout(() => socket.destroy(), ms).unref()
  unlessClosed.once('close', () => clearTimeout(timer))
}
