import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'

const LINGER_MS = 10_000

/**
 * Lets a connection that is closed behind an early answer wait for what its client is still sending. Closing at once would reset
 * it, and the reset throws away the answer that the client has not read yet: a gateway makes a 502 of that.
 */
export function lingerOnClose(server: Server): void {
  server.prependListener('request', (req: IncomingMessage) => {
    const { headers, socket } = req
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
    const closeNow = () => Socket.prototype.destroySoon.call(socket)
    socket.destroySoon = () => {
      if (req.complete) return closeNow()
      req.once('end', closeNow)
      endAndLinger(socket)
      req.resume()
    }
  })
}

/** Sends the last bytes of a connection, and leaves it to the client to close it, for a while. Somebody must go on reading. */
export function endAndLinger(socket: Socket, last = ''): void {
  socket.end(last)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
