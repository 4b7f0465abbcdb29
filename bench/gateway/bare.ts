import { createServer, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { type Door, listen, PLAIN } from './traffic.ts'

/**
 * The smallest proxy that streams: node:http's server and undici's `Pool.dispatch`. It forwards all headers except Host and Connection and
 * respects back pressure. It does nothing else that a proxy should: no time-outs, no retries, no forwarding headers, no routes.
 */
export async function open(upstreamPort: number): Promise<Door> {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: null })
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/' } = request
    const body = method === 'GET' || method === 'HEAD' ? null : request
    pool.dispatch(
      { path, method, headers: without(/^(?:host|connection)$/i, request.rawHeaders), body },
      new Exchange(response),
    )
  })
  return { port: await listen(server), ...PLAIN }
}

/** Raw headers, name and value in turn, without the names that match. */
function without(dropped: RegExp, raw: readonly unknown[]): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!dropped.test(String(raw[i]))) kept.push(String(raw[i]), String(raw[i + 1]))
  }
  return kept
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => this.#controller?.resume())
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('the client disconnected'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : []
    this.#response.writeHead(status, without(/^(?:connection|keep-alive|transfer-encoding)$/i, raw))
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
