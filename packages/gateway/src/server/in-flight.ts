import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { LINGER_MS } from './limits.ts'

/** The responses that are not finished yet, so that shutting down can wait for them. */
export class InFlight {
  readonly #responses = new Set<ServerResponse>()
  #draining = false
  #onEmpty: (() => void) | undefined

  add(res: ServerResponse): void {
    this.#responses.add(res)
    if (this.#draining) res.shouldKeepAlive = false
    res.once('close', () => this.#remove(res))
    res.once('finish', () => discardRest(res))
  }

  /** The unfinished responses of one connection. */
  on(socket: Duplex): ServerResponse[] {
    return [...this.#responses].filter(res => res.socket === socket)
  }

  /** Tells clients to close their connections, and waits until every response is finished or the time is up. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true
    for (const res of this.#responses) if (!res.headersSent) res.shouldKeepAlive = false
    if (this.#responses.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    const timer = setTimeout(resolve, limitMs)
    await promise
    clearTimeout(timer)
  }

  /** Gives up what is not finished, connections that are no longer HTTP among it. */
  cutOff(): void {
    for (const res of this.#responses) res.destroy()
  }

  #remove(res: ServerResponse): void {
    this.#responses.delete(res)
    if (this.#responses.size === 0) this.#onEmpty?.()
  }
}

/** Reads on after an early answer, as nginx does: closing at once would reset the connection and lose the answer. */
function discardRest({ req }: ServerResponse): void {
  if (req.complete) return
  req.resume()
  const timer = setTimeout(() => req.socket.destroy(), LINGER_MS).unref()
  req.once('close', () => clearTimeout(timer))
}
