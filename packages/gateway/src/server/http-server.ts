import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { answerClientError, writeRawAnswer } from './client-error.ts'
import type { InFlight } from './in-flight.ts'
import { MAX_HEADER_BYTES } from './limits.ts'
import { acceptUpgrade, asksForUpgrade, isWebSocket } from './upgrade.ts'
import type { UpgradeSocket } from './upgrade-socket.ts'

/** `upgrade`: the connection of a request that asks for another protocol. */
export type Handler = (req: IncomingMessage, res: ServerResponse, upgrade?: UpgradeSocket) => void

/** node:http with nginx's limits and with every refusal in Kong's form. */
export function createHttpServer(handler: Handler, inFlight: InFlight): Server {
  const begin = (req: IncomingMessage, res: ServerResponse): void => {
    // What still comes after the last answer of a connection is no request.
    if (req.socket.writableEnded) return
    inFlight.add(res)
    // Node's parser loses what follows such a request in the same packet: a new connection is the only safe place for it.
    if (asksForUpgrade(req)) res.shouldKeepAlive = false
    handler(req, res)
  }
  // One after the other, as in nginx: what was pipelined behind the last request of a connection is never looked at.
  const accept = (req: IncomingMessage, res: ServerResponse): void => {
    if (res.socket === null) res.once('socket', () => begin(req, res))
    else begin(req, res)
  }
  const server = createServer({
    insecureHTTPParser: false,
    // One that is pipelined behind a request without an answer would have to share its connection with that answer.
    shouldUpgradeCallback: req => isWebSocket(req) && inFlight.on(req.socket).length === 0,
    // Checked with the rest of the request target, for an answer in Kong's form.
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 60_000,
    // An upload may take as long as it makes progress: the exchange watches that.
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 5_000,
    // A request without a body needs no stream for it.
    optimizeEmptyRequests: true,
  })
  // node:http would silently drop what is above its limit; the handler refuses such requests instead.
  server.maxHeadersCount = 0
  server.on('request', accept)
  // 100 Continue is sent when the upstream takes the body: a refused request does not upload it first.
  server.on('checkContinue', accept)
  server.on('checkExpectation', accept)
  server.on('upgrade', (req, socket, head) => acceptUpgrade(req, socket, head, { handler, inFlight }))
  server.on('connect', (_req, socket) => {
    // Node has left it to us, errors and all: a reset would end the process.
    socket.on('error', () => {})
    if (inFlight.on(socket).length > 0) socket.destroy()
    else writeRawAnswer(socket.resume(), 405, 'Method not allowed')
  })
  server.on('clientError', (error, socket) => {
    const [res] = inFlight.on(socket)
    const answerable = res === undefined || (!res.headersSent && !res.req.complete)
    if (answerable) answerClientError(error, socket)
    // In the middle of a response, or ahead of one, an error answer would be taken for a part of it.
    else socket.destroy()
  })
  return server
}

/** Listens and tells the port. Throws one clear line when the address cannot be had. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    throw new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, { cause: error })
  }
  server.off('error', reject)
  // Taking a connection can fail, and an error that nobody hears ends the process.
  server.on('error', () => {})
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return 'the port is taken; stop what uses it or choose another port'
  if (code === 'EACCES') return 'not permitted; choose a port above 1023'
  return error instanceof Error ? error.message : String(error)
}
