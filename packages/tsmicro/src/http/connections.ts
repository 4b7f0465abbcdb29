import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../call/index.ts'
import { lingerOnClose } from './linger.ts'
import { LINGER_MS } from './raw-answer.ts'

const sockets = new WeakMap<FastifyInstance, Set<Socket>>()

/** Keeps book of a server's connections. Node's own does not know those that are HTTP no longer, such as WebSockets. */
export function trackConnections(server: FastifyInstance, log: Log): void {
  const open = new Set<Socket>()
  sockets.set(server, open)
  // Before it listens Fastify tells. Later it is a connection that could not be accepted, such as for want of file handles.
  server.server.on('error', err => {
    if (server.server.listening) log.error({ err }, 'a connection could not be accepted')
  })
  server.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.server.prependListener('request', (req: IncomingMessage) => {
    const { headers } = req
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
    lingerOnClose(req, LINGER_MS)
  })
}

/** Ends every connection at once, whatever it is used for; returns how many there were. */
export function endConnections(server: FastifyInstance): number {
  const open = [...(sockets.get(server) ?? [])]
  for (const socket of open) socket.destroy()
  return open.length
}
