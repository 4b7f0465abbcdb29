import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LINGER_MS } from './limits.ts'

/**
 * Makes the connection of a request with a body wait, when it is closed behind an early answer, for what the client is still sending:
 * nginx's lingering close. Closing at once would reset the connection, and the reset throws away the answer that the client has not read.
 */
export function lingerOnClose(req: IncomingMessage): void {
  const { socket } = req
  const closeNow = () => Socket.prototype.destroySoon.call(socket)
  socket.destroySoon = () => {
    if (req.complete) return closeNow()
    req.once('end', closeNow)
    endAndLinger(socket)
    req.resume()
  }
}

/** Sends the last bytes of a connection, and leaves it to the client to close it, for a while. Somebody must go on reading. */
export function endAndLinger(socket: Duplex, last = ''): void {
  socket.end(last)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
