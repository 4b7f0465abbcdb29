import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What node:http says about bytes that it cannot parse. */
export interface ParseError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
  /** Where in the packet the fault is. */
  readonly bytesParsed?: number
}

/** A whole request line. Node's parser accepts the same, but for the bytes beyond ASCII. */
const LINE = /^[A-Z]+ \/[\x21-\x7e\x80-\xff]* HTTP\/1\.[01]\r?$/

/**
 * Escapes the bytes beyond ASCII in a request line for which Node's parser has refused a packet. nginx takes them, and Kong routes and
 * forwards them in this form. Returns undefined if the packet does not begin with such a line, or has another fault.
 */
export function withEscapedPath({ code, rawPacket, bytesParsed = -1 }: ParseError): Buffer | undefined {
  if (code !== 'HPE_INVALID_URL' || rawPacket === undefined) return undefined
  const end = rawPacket.indexOf('\n')
  const isBeyondAscii = (rawPacket[bytesParsed] ?? 0) >= 0x80
  const line = rawPacket.toString('latin1', 0, Math.max(0, end))
  if (!isBeyondAscii || bytesParsed >= end || !LINE.test(line)) return undefined
  const escaped = line.replaceAll(/[\x80-\xff]/g, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
  return Buffer.concat([Buffer.from(escaped, 'latin1'), rawPacket.subarray(end)])
}

/**
 * Gives a connection whose parser has failed to another one, from this packet on. The first one still reports errors. What it then has is the
 * last request of the connection, so that there is never a third.
 */
export function parseAgain(server: Server, socket: Socket, packet: Buffer): void {
  server.emit('connection', new Resumed(socket, packet))
}

/** A connection that begins with a packet that was read from it before. */
export class Resumed extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket, packet: Buffer) {
    super()
    this.#socket = socket
    socket
      .on('data', (chunk: Buffer) => {
        if (!this.push(chunk)) socket.pause()
      })
      .on('end', () => this.push(null))
      .on('close', () => this.destroy())
    this.push(packet)
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
