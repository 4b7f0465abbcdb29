import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { destroyLater, lingerOnClose } from 'tsmicro/internal/linger'
import { LINGER_MS } from './limits.ts'
import { SlotList, type Slotted } from './slot-list.ts'

interface Entry extends Slotted {
  readonly res: ServerResponse
}

/** How long a stream may go on while the gateway closes: by itself it would not end. */
const STREAMS_MS = 1000
const EVENTS = /^content-type: *text\/event-stream\b/im
const LINES = /^content-type: *application\/(?:jsonl|x-ndjson)\b/im

/** The responses that are not finished yet, so that shutting down can wait for them. */
export class InFlight {
  readonly #open = new SlotList<Entry>()
  #draining = false
  #onEmpty: (() => void) | undefined

  add(res: ServerResponse): void {
    const entry = { res, slot: -1 }
    this.#open.add(entry)
    if (this.#draining) res.shouldKeepAlive = false
    res.on('close', () => this.#remove(entry))
    // A request without a body is complete before its answer can be.
    if (!hasBody(res.req)) return
    lingerOnClose(res.req, LINGER_MS)
    res.on('finish', discardRest)
  }

  /** The unfinished responses of one connection. */
  on(socket: Duplex): ServerResponse[] {
    const found: ServerResponse[] = []
    this.#open.visit(({ res }) => {
      if (res.socket === socket) found.push(res)
    })
    return found
  }

  /** Tells clients to close their connections, and waits until every response is finished or the time is up. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true
    this.#open.visit(({ res }) => {
      if (!res.headersSent) res.shouldKeepAlive = false
    })
    if (this.#open.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    const timer = setTimeout(resolve, limitMs)
    const streams = setInterval(() => this.#endStreams(), STREAMS_MS)
    await promise
    clearTimeout(timer)
    clearInterval(streams)
  }

  /** Destroys whatever is unfinished, including connections that have switched to another protocol. */
  cutOff(): void {
    this.#open.visit(({ res }) => {
      res.destroy()
    })
  }

  /** Clients come back for what follows. They drop an event that is cut in two; JSON lines have no such rule, so they are not ended as if whole. */
  #endStreams(): void {
    this.#open.visit(({ res }) => {
      // Where writeHead leaves fields that it got as a list.
      const fields = String(Reflect.get(res, '_header') ?? '')
      const events = EVENTS.test(fields)
      if (events && !res.writableEnded) res.on('error', () => {}).end()
      else if (events || LINES.test(fields)) res.destroy()
    })
  }

  #remove(entry: Entry): void {
    this.#open.delete(entry)
    if (this.#open.size === 0) this.#onEmpty?.()
  }
}

/** Whether a request has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Keeps reading after an early answer, as nginx does: closing at once would reset the connection and lose the answer. */
function discardRest(this: ServerResponse): void {
  const { req } = this
  if (req.complete) return
  req.resume()
  destroyLater(req.socket, LINGER_MS, req)
}
