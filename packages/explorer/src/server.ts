import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Contract } from 'tsmicro/contract'
import { asyncApiOf } from 'tsmicro/internal'
import { ExplorerAccess } from './access.ts'
import type { Catalogue, NatsAnswer } from './catalogue-types.ts'
import { passOn, type Target } from './http-calls.ts'
import type { NatsCall } from './nats-calls.ts'
import { pageFile } from './page-files.ts'

export interface ExplorerOptions {
  /** 0 for a free one. */
  readonly port: number
  /** What the page has to know; 32 characters or more. */
  readonly token: string
  readonly catalogue: Catalogue
  /** The contracts of each service, for its AsyncAPI document. */
  readonly contracts: ReadonlyMap<string, readonly Contract[]>
  readonly targets: ReadonlyMap<string, Target>
  /** Undefined without NATS. */
  readonly callNats: ((call: NatsCall) => Promise<NatsAnswer>) | undefined
}

export interface Explorer {
  /** With the token in its fragment, which browsers do not send. */
  readonly url: string
  close(): Promise<void>
}

/** Others on the machine reach the port as well: their requests must not cost much, however slow they are. */
const LIMITS = { headersTimeout: 10_000, connectionsCheckingInterval: 1000, keepAliveTimeout: 1000 }
const MAX_CONNECTIONS = 100
/** NATS itself takes no longer messages by default. */
const MAX_CALL_BYTES = 1024 * 1024

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Serves the page, and makes its calls, on this machine's loopback address alone. Throws an `Error` if the port cannot be used. */
export async function startExplorer(options: ExplorerOptions): Promise<Explorer> {
  let access: ExplorerAccess | undefined
  const server = createServer(LIMITS, (req, res) => {
    for (const [name, value] of Object.entries(HEADERS)) res.setHeader(name, value)
    const fail = () => (res.headersSent ? res.destroy() : res.writeHead(500).end())
    if (access) answer(req, res, access, options).catch(fail)
    else fail()
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  // A connection that cannot be accepted, for lack of file descriptors, must not end the process.
  server.removeAllListeners('error').on('error', () => {})
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>(done => server.close(() => done()))
  }
  try {
    access = new ExplorerAccess(options.token, port)
  } catch (error) {
    await close()
    throw error
  }
  return { url: `http://127.0.0.1:${port}/#token=${options.token}`, close }
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  access: ExplorerAccess,
  { catalogue, contracts, targets, callNats }: ExplorerOptions,
): Promise<void> {
  // Not `new URL`, which throws for much of what a request line may contain.
  const [path = '/'] = (req.url ?? '/').split('?', 1)
  const isPage = path === '/' || catalogue.services.some(({ name }) => path === `/${name}`)
  const file = pageFile(isPage ? 'index.html' : path.slice(1))
  if (file && access.mayOpen(req)) {
    const { type, text } = await file
    res.writeHead(200, { 'content-type': type }).end(text)
    return
  }
  if (!access.comesFromHere(req)) return refuse(res, 403, 'This is not the page of the explorer.')
  if (!access.hasToken(req)) return refuse(res, 401, 'Open the explorer with the address that its start has shown.')
  // Below `-`, which no service is called.
  const [, own, first, service = '', ...rest] = path.split('/')
  if (own !== '-') return refuse(res, 404, 'There is nothing here.')
  if (first === 'http') {
    const target = targets.get(service)
    if (!target) return refuse(res, 404, 'There is no such service.')
    return passOn(req, res, target, `/${rest.join('/')}${(req.url ?? '').slice(path.length)}`)
  }
  if (path === '/-/catalogue' && req.method === 'GET') return sendJson(res, catalogue)
  if (first === 'asyncapi' && contracts.has(service) && req.method === 'GET')
    return sendJson(res, asyncApiOf({ title: service, version: '0.0.0' }, contracts.get(service) ?? []))
  if (path === '/-/nats' && req.method === 'POST') return callOverNats(req, res, callNats)
  refuse(res, 404, 'There is nothing here.')
}

async function callOverNats(
  req: IncomingMessage,
  res: ServerResponse,
  call: ExplorerOptions['callNats'],
): Promise<void> {
  const text = await readText(req)
  const sent = text === undefined ? undefined : parsed(text)
  if (text === undefined) return refuse(res, 413, `More than ${MAX_CALL_BYTES} bytes.`)
  if (sent === undefined) return refuse(res, 400, 'The body is not a call.')
  if (!call) return refuse(res, 503, 'The explorer has no connection to NATS.')
  sendJson(res, await call(sent))
}

function parsed(text: string): NatsCall | undefined {
  try {
    const { procedure, input, token, apiKey } = Object(JSON.parse(text))
    const isText = (value: unknown) => value === undefined || typeof value === 'string'
    return typeof procedure === 'string' && isText(token) && isText(apiKey)
      ? { procedure, input, token, apiKey }
      : undefined
  } catch {
    return undefined
  }
}

async function readText(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_CALL_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function sendJson(res: ServerResponse, value: unknown): void {
  res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value))
}

function refuse(res: ServerResponse, status: number, message: string): void {
  // The unread rest of the request would be taken for the next one.
  res.shouldKeepAlive = false
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(message)
}
