import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Handler } from './http-server.ts'
import type { InFlight } from './in-flight.ts'
import { UpgradeSocket } from './upgrade-socket.ts'

/**
 * Whether a request is a WebSocket handshake (RFC 6455, 4.1). Of all protocols Kong passes on this one alone, and only in
 * just these words; any other Upgrade (h2c, as some clients always send) is an offer that may be ignored, and one with a
 * body, which could hide frames or requests, is an ordinary request.
 */
export function isWebSocket({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  )
}

/** Whether Node's parser takes a request for the last of its connection, whatever becomes of it. */
export function asksForUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '')
}

/** Gives a request that asks for another protocol the way of all requests: its answer, if there is one, ends the connection. */
export function acceptUpgrade(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  to: { handler: Handler; inFlight: InFlight },
) {
  const upgrade = new UpgradeSocket(req.socket, head)
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(req.socket)
  // What node:http does for connections that are still its own.
  socket.on('drain', () => res.emit('drain'))
  res.once('finish', () => upgrade.discard())
  to.inFlight.add(res)
  to.handler(req, res, upgrade)
}
