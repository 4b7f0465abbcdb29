import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { answerHeaders, kongError } from './answer.ts'
import { MAX_URL_LENGTH } from './limits.ts'
import { endAndLinger } from './linger.ts'
import { newRequestId } from './request-id.ts'

/** Answers a connection whose bytes are no valid HTTP request (smuggling attempts, oversize headers …) and closes it. */
export function answerClientError(error: Error & { code?: string; rawPacket?: Buffer }, socket: Duplex): void {
  // What the client was still sending when it was answered.
  if (socket.writableEnded) return
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = statusOf(error)
  writeRawAnswer(socket, status, MESSAGES[status] ?? 'Bad request')
}

/** Writes an answer on a connection that has no `ServerResponse`, and closes it. */
export function writeRawAnswer(socket: Duplex, status: number, message: string): void {
  const request = { id: newRequestId(), startedAt: performance.now() }
  const answer = kongError(status, message, request.id, { connection: 'close' })
  const headers = Object.entries(answerHeaders(answer, request)).map(([name, value]) => `${name}: ${value}\r\n`)
  const reason = STATUS_CODES[status] ?? 'Request Header Too Large'
  endAndLinger(socket, `HTTP/1.1 ${status} ${reason}\r\n${headers.join('')}\r\n${answer.body}`)
}

const MESSAGES: Record<number, string> = {
  400: 'Bad request',
  408: 'Request timeout',
  414: 'URI too long',
  494: 'Request header or cookie too large',
}

function statusOf(error: { code?: string; rawPacket?: Buffer }): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  if (error.code !== 'HPE_HEADER_OVERFLOW') return 400
  // The parser does not say what overflowed: a packet without an early line end is taken for a request line.
  const lineEnd = error.rawPacket?.indexOf('\n') ?? 0
  return lineEnd === -1 || lineEnd > MAX_URL_LENGTH ? 414 : 494
}
