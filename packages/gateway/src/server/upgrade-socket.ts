import type { Socket } from 'node:net'
import { LINGER_MS } from './limits.ts'

/** So much of what a client sends before the protocol is switched is kept for the upstream; the rest waits on its side. */
const KEEP_BYTES = 64 * 1024

/**
 * A client's connection between its handshake and the answer. Nothing of what it sends too early reaches anybody before
 * the upstream has switched protocols: bytes that follow a handshake which was refused are no request, and are dropped.
 * It is read all the same, as only reading tells whether the client is still there.
 */
export class UpgradeSocket {
  readonly #socket: Socket
  readonly #early: Buffer[] = []
  #size = 0

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket
    this.#onData(head)
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', ignore).resume()
  }

  /** Hands the connection over, with all that has come so far still to be read. */
  take(): Socket {
    this.#release()
    this.#socket.pause()
    this.#socket.unshift(Buffer.concat(this.#early.splice(0)))
    return this.#socket
  }

  /** Ends the connection after an answer, which closing at once could lose. */
  discard(): void {
    this.#release()
    this.#early.length = 0
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
    this.#socket
      .once('close', () => clearTimeout(timer))
      .resume()
      .end()
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

function ignore(): void {}
