import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Gateway,
  type GatewayOptions,
  type KongConfig,
  type KongPlugin,
  type KongRoute,
  type KongService,
  startGateway,
} from '../src/index.ts'

export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly authority: string
}

async function serve(server: Server, close: () => void): Promise<TestServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dispose = async () => {
    close()
    server.close()
  }
  return { port, authority: `127.0.0.1:${port}`, [Symbol.asyncDispose]: dispose }
}

/** A real HTTP upstream on a free port. */
export function upstream(handler: RequestListener): Promise<TestServer> {
  const server = createServer(handler)
  return serve(server, () => server.closeAllConnections())
}

/** An upstream that may break HTTP. */
export function tcpUpstream(onConnection: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  })
  return serve(server, () => {
    for (const socket of sockets) socket.destroy()
  })
}

/** Answers with the request that it received: method, path and raw headers. */
export const echo: RequestListener = (req, res) => {
  const body = JSON.stringify({ method: req.method, path: req.url, headers: req.headers, raw: req.rawHeaders })
  req.resume().on('end', () => res.setHeader('content-type', 'application/json').end(body))
}

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = await tcpUpstream(() => {})
  await server[Symbol.asyncDispose]()
  return server.port
}

export function configOf(services: KongService[], plugins?: KongPlugin[]): KongConfig {
  return { _format_version: '3.0', services, ...(plugins && { plugins }) }
}

/** One service `api` with one route, by default `/`. */
export function oneService(
  url: string,
  service: Partial<KongService> = {},
  route: KongRoute = { paths: ['/'] },
): KongConfig {
  return configOf([{ name: 'api', url, routes: [route], ...service }])
}

export function gatewayFor(config: KongConfig | string, options: Partial<GatewayOptions> = {}) {
  return startGateway({ config, port: 0, ...options })
}

export interface Sent {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly text: string
  /** Parsed JSON or an error in plain text, for assertions. */
  readonly json: Record<string, unknown>
}

export interface SendOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Buffer
}

/** Sends one request on its own connection; the path is sent exactly as given. */
export async function send(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: SendOptions = {},
): Promise<Sent> {
  const req = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
  req.end(body)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const text = await textOf(res)
  return { status: res.statusCode ?? 0, headers: res.headers, rawHeaders: res.rawHeaders, text, json: parse(text) }
}

export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Errors of the gateway may be plain text. */
function parse(text: string): Record<string, unknown> {
  const [, message, id] = /^(.+)\nrequest_id: ([0-9a-f]{32})\n$/.exec(text) ?? []
  if (message !== undefined) return { message, request_id: id }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Sends bytes, and returns everything that arrives until the gateway closes the connection or `enough` returns true. */
export async function rawExchange(
  port: number,
  bytes: string | Buffer,
  enough: (text: string) => boolean = () => false,
) {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    if (enough(text)) socket.destroy()
  })
  socket.on('error', () => {}).setTimeout(20_000, () => socket.destroy())
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}

/** Polls until the condition is true. Fails with `what` after two minutes. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`gave up waiting until ${what}`)
    await pause(10)
  }
}

/** Keeps every log line, so that tests can look for what must and must not be there. */
export function recordingLog() {
  const lines: string[] = []
  const keep = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
  return { lines, info: keep, warn: keep, error: keep }
}

/** Sends a request to the admin API of a gateway, with its token. */
export function askAdmin({ adminUrl, adminToken }: Gateway, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${adminToken}`, ...(init.headers as Record<string, string> | undefined) }
  return fetch(`${adminUrl}${path}`, { ...init, headers })
}

export function hang(_req: IncomingMessage, _res: ServerResponse): void {}
