import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const sockets = new WeakMap<FastifyInstance, Set<Socket>>()

/** Keeps book of a server's connections. Node's own does not know those that are HTTP no longer, such as WebSockets. */
export function trackConnections(server: FastifyInstance): void {
  const open = new Set<Socket>()
  sockets.set(server, open)
  server.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
}

/** Ends every connection at once, whatever it is used for; returns how many there were. */
export function endConnections(server: FastifyInstance): number {
  const open = [...(sockets.get(server) ?? [])]
  for (const socket of open) socket.destroy()
  return open.length
}
