import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Log, requestIdOf } from '../call/index.ts'
import { type ApiError, HEADERS_TOO_LARGE, MALFORMED_REQUEST, REQUEST_TIMEOUT } from '../errors/index.ts'
import { failureEnvelope, JSON_TYPE } from './envelope.ts'
import { endAndLinger, LINGER_MS, lingerOnClose } from './linger.ts'
import { isReceiving } from './receive.ts'
import { STATUS_CODES } from './status-text.ts'

const sockets = new WeakMap<FastifyInstance, Set<Socket>>()

/** Tracks a server's connections, including those that are no longer HTTP, such as WebSockets, which Node does not track itself. */
export function trackConnections(server: FastifyInstance, log: Log): void {
  const open = new Set<Socket>()
  sockets.set(server, open)
  // Fastify reports errors before the server listens. Later ones are connections that could not be accepted, e.g. with no file handles left.
  server.server.on('error', err => {
    if (server.server.listening) log.error({ err }, 'a connection could not be accepted')
  })
  server.server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.server.prependListener('request', (req: IncomingMessage) => {
    const { headers } = req
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
      lingerOnClose(req, LINGER_MS)
  })
}

/** Ends every connection at once, WebSockets included; returns how many there were. */
export function endConnections(server: FastifyInstance): number {
  const open = [...(sockets.get(server) ?? [])]
  for (const socket of open) socket.destroy()
  return open.length
}

/** Calls back when a response is over, at once if it already is. */
export function whenClosed(raw: ServerResponse, done: () => unknown): void {
  if (raw.closed) done()
  else raw.once('close', done)
}

/** Closes connections that have never sent a byte, as browsers and `fetch` open in advance. Node takes them for busy. */
export function closeUnusedConnections(server: FastifyInstance): void {
  for (const socket of sockets.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy()
}

/** Answers bytes that Node could not parse as a request, for which there is no reply object. */
export function answerUnreadable({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && isReceiving(socket)) return
  // It has been answered, and the client went on sending.
  if (socket.writableEnded) return
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const failure: ApiError =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new REQUEST_TIMEOUT()
      : code === 'HPE_HEADER_OVERFLOW'
        ? new HEADERS_TOO_LARGE()
        : new MALFORMED_REQUEST()
  const requestId = requestIdOf(undefined)
  const body = JSON.stringify(failureEnvelope(failure, requestId))
  const head =
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\ncontent-type: ${JSON_TYPE}\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n`
  endAndLinger(socket, LINGER_MS, head + body)
}
