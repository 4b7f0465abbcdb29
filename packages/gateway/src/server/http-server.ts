import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endAndLinger } from 'tsmicro/internal/linger'
import { newRequestId, nginxError, writeAnswer } from './answer.ts'
import type { InFlight } from './in-flight.ts'
import { LINGER_MS, MAX_HEADER_BYTES, MAX_LINE_LENGTH } from './limits.ts'
import { type ParseError, parseAgain, Resumed, withEscapedPath } from './raw-path.ts'
import { acceptUpgrade, asksForUpgrade, type Handler, isWebSocket } from './upgrade.ts'

/** A node:http server with nginx's limits, and with every refusal in Kong's form. */
export function createHttpServer(handler: Handler, inFlight: InFlight): Server {
  const begin = (req: IncomingMessage, res: ServerResponse): void => {
    // After the last answer of a connection, what still arrives is ignored.
    if (req.socket.writableEnded) return
    inFlight.add(res)
    // Node's parser loses whatever follows such a request in the same packet, so the client has to send it on a new connection.
    if (asksForUpgrade(req) || req.socket instanceof Resumed) res.shouldKeepAlive = false
    handler(req, res)
  }
  // One after the other, as in nginx: requests that are pipelined behind the last one of a connection are never handled.
  const accept = (req: IncomingMessage, res: ServerResponse): void => {
    if (res.socket === null) res.once('socket', () => begin(req, res))
    else begin(req, res)
  }
  const server = createServer({
    insecureHTTPParser: false,
    // A handshake that is pipelined behind an unanswered request would have to share its connection with that answer.
    shouldUpgradeCallback: req => isWebSocket(req) && inFlight.on(req.socket).length === 0,
    // Checked with the rest of the request target, so that the answer has Kong's form.
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 60_000,
    // An upload may take as long as it needs while it makes progress, which the exchange watches.
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    connectionsCheckingInterval: 5_000,
    // A request without a body needs no stream for it.
    optimizeEmptyRequests: true,
  })
  // node:http would silently drop the fields above its limit; the handler refuses such requests instead.
  server.maxHeadersCount = 0
  server.on('request', accept)
  // 100 Continue is sent when the upstream takes the body, so that a refused request does not upload it first.
  server.on('checkContinue', accept)
  server.on('checkExpectation', accept)
  server.on('upgrade', (req, socket, head) => acceptUpgrade(req, socket, head, { handler, inFlight }))
  server.on('connect', (_req, socket) => {
    // Node no longer handles errors of this socket: a reset would end the process.
    socket.on('error', () => {})
    if (inFlight.on(socket).length > 0) socket.destroy()
    else writeRawAnswer(socket.resume(), 405, 'Method not allowed')
  })
  const resumed = new WeakSet<Duplex>()
  server.on('clientError', (error: ParseError, socket) => {
    if (resumed.has(socket)) return
    const [res] = inFlight.on(socket)
    const again = res === undefined ? withEscapedPath(error) : undefined
    if (again !== undefined && socket instanceof Socket) {
      resumed.add(socket)
      return parseAgain(server, socket, again)
    }
    const answerable = res === undefined || (!res.headersSent && !res.req.complete)
    if (answerable) answerClientError(error, socket)
    // Before or in the middle of a response, the client would take an error answer for a part of it.
    else socket.destroy()
  })
  return server
}

/** Listens, and returns the port. Throws an `Error` with one clear line if the address cannot be used. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    throw new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, { cause: error })
  }
  server.off('error', reject)
  // Accepting a connection can fail, and an unhandled 'error' event would end the process.
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

/** Answers a connection whose bytes are not a valid HTTP request (smuggling attempts, oversized headers …), and closes it. */
function answerClientError(error: ParseError, socket: Duplex): void {
  // The client was still sending when it was answered.
  if (socket.writableEnded) return
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  writeRawAnswer(socket, ...refusalOf(error))
}

/** Writes an answer on a connection that has no `ServerResponse`, and closes it. */
function writeRawAnswer(socket: Duplex, status: number, message: string): void {
  const request = { id: newRequestId(), startedAt: performance.now() }
  const { headers, body } = writeAnswer(nginxError(status, message, { connection: 'close' }), request, {})
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  endAndLinger(socket, LINGER_MS, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
}

function refusalOf(error: ParseError): [status: number, message: string] {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'Request timeout']
  if (error.code !== 'HPE_HEADER_OVERFLOW') return [400, 'Bad request']
  // The parser does not say what overflowed. Without an early line end it must have been the request line.
  const lineEnd = error.rawPacket?.indexOf('\n') ?? 0
  return lineEnd === -1 || lineEnd > MAX_LINE_LENGTH
    ? [414, 'URI too long']
    : [400, 'Request header or cookie too large']
}
