import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { openPlain } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/**
 * The least that streams: node:http's server and undici's `Pool.dispatch`. It forwards all fields but Host and Connection,
 * minds back pressure, and does nothing else a proxy should: no time-outs, no retries, no forwarding fields, no routes.
 */
export const subject: Subject = {
  open: upstreamPort => {
    const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: null })
    const server = createServer((request, response) => {
      const { method, url = '/', rawHeaders } = request
      const headers: string[] = []
      for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
        const name = rawHeaders[i] ?? ''
        if (!/^(?:host|connection)$/i.test(name)) headers.push(name, rawHeaders[i + 1] ?? '')
      }
      const body = method === 'GET' || method === 'HEAD' ? null : request
      pool.dispatch({ path: url, method: method ?? 'GET', headers, body }, new Way(request, response))
    })
    return openPlain(server)
  },
}

class Way implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined

  constructor(_request: IncomingMessage, response: ServerResponse) {
    this.#response = response
    response.on('drain', () => this.#controller?.resume())
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client went away'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : []
    const headers: string[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = String(raw[i])
      if (!/^(?:connection|keep-alive|transfer-encoding)$/i.test(name)) headers.push(name, String(raw[i + 1]))
    }
    this.#response.writeHead(status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}
