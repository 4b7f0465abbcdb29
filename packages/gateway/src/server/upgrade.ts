import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endAndLinger } from 'tsmicro/internal/linger'
import { hasBody, type InFlight } from './in-flight.ts'
import { LINGER_MS } from './limits.ts'

/** How much of what a client sends before the protocol is switched is kept for the upstream; the rest waits at the client. */
const KEEP_BYTES = 64 * 1024

/** `upgrade`: the connection, if the request asks for another protocol. */
export type Handler = (req: IncomingMessage, res: ServerResponse, upgrade?: UpgradeSocket) => void

/**
 * Whether a request is a WebSocket handshake (RFC 6455, 4.1), the only upgrade that Kong passes on, and only in this exact form.
 * Any other Upgrade (h2c, which some clients always send) is an offer that may be ignored. A handshake with a body, which could
 * hide frames or requests, is an ordinary request.
 */
export function isWebSocket(req: IncomingMessage): boolean {
  const { method, httpVersion, headers } = req
  return method === 'GET' && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket' && !hasBody(req)
}

/** Whether Node's parser takes a request for the last one of its connection, whatever happens to it. */
export function asksForUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '')
}

/** Handles a request that asks for another protocol like any other request; its answer, if there is one, ends the connection. */
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
  // What node:http does for its own connections.
  socket.on('drain', () => res.emit('drain'))
  res.once('finish', () => upgrade.discard())
  to.inFlight.add(res)
  to.handler(req, res, upgrade)
}

/**
 * A client's connection between its handshake and the answer. What the client sends early reaches the upstream only after it has
 * switched protocols. Bytes after a refused handshake are not a request, and are dropped. They are still read, because only reading
 * shows whether the client is still there.
 */
export class UpgradeSocket {
  readonly #socket: Socket
  readonly #early: Buffer[] = []
  #size = 0

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket
    this.#onData(head)
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', () => {})
      .resume()
  }

  /** Hands the connection over; everything that has arrived so far is still to be read from it. */
  take(): Socket {
    this.#release()
    this.#socket.pause()
    this.#socket.unshift(Buffer.concat(this.#early.splice(0)))
    return this.#socket
  }

  /** Ends the connection after an answer, without the reset that could lose it. */
  discard(): void {
    this.#release()
    this.#early.length = 0
    endAndLinger(this.#socket.resume(), LINGER_MS)
  }

  #release(): void {
    this.#socket.off('data', this.#onData).off('end', this.#onEnd)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#size += chunk.length
    if (this.#size > KEEP_BYTES) this.#socket.pause()
  }

  readonly #onEnd = (): void => {
    this.#socket.destroy()
  }
}
