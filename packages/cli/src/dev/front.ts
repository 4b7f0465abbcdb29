import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createProxyServer } from 'httpxy'

/** Where requests go, or went. */
interface Target {
  readonly url: string
  readonly agent: Agent
  /** Those in progress, without WebSockets. */
  requests: number
}

/** A service's address, which stays the same while its instances come and go. Requests pass unchanged. */
export class Front {
  readonly #name: string
  readonly #server: Server
  readonly #proxy = createProxyServer()
  readonly #left = new Set<Target>()
  #target: Target = { url: '', agent: new Agent(), requests: 0 }

  private constructor(name: string) {
    this.#name = name
    // Any other Upgrade, such as h2c, is an offer that may be ignored.
    const shouldUpgradeCallback = ({ method, headers }: IncomingMessage) =>
      method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
    this.#server = createServer({ requestTimeout: 0, shouldUpgradeCallback }, (req, res) => {
      const target = this.#target
      target.requests += 1
      res.once('close', () => {
        target.requests -= 1
        if (target.requests === 0) this.#left.delete(target)
      })
      this.#proxy
        .web(req, res, { target: target.url, agent: target.agent })
        .catch((error: unknown) => this.#refuse(res, error))
    })
    this.#server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#proxy.ws(req, socket, { target: this.#target.url }, head).catch(() => socket.destroy())
    })
  }

  /** @throws Error if the port is taken */
  static async open(name: string, port: number): Promise<Front> {
    const front = new Front(name)
    front.#server.listen(port, '127.0.0.1')
    await once(front.#server, 'listening')
    // A connection that cannot be accepted, for example for lack of file descriptors, must not end the process.
    front.#server.on('error', () => {})
    return front
  }

  /** Sends requests from now on to this port. Those in progress stay where they are. */
  moveTo(port: number): void {
    const old = this.#target
    this.#target = { url: `http://127.0.0.1:${port}`, agent: new Agent({ keepAlive: true }), requests: 0 }
    if (old.requests > 0) this.#left.add(old)
    // What is in progress is not ended, and its connections are not kept afterwards.
    for (const sockets of Object.values(old.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    old.agent.maxFreeSockets = 0
  }

  /** The number of requests in progress that began before the last {@link moveTo}. */
  get earlier(): number {
    return [...this.#left].reduce((sum, { requests }) => sum + requests, 0)
  }

  /** Ends it, with its connections. */
  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  #refuse(res: ServerResponse, error: unknown): void {
    if (res.headersSent) return void res.destroy()
    const why = error instanceof Error ? error.message : String(error)
    res.writeHead(502, { 'content-type': 'text/plain' }).end(`${this.#name} does not answer: ${why}\n`)
  }
}
