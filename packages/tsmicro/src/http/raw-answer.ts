import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { requestIdOf } from '../call/index.ts'
import { type ApiError, HEADERS_TOO_LARGE, MALFORMED_REQUEST, REQUEST_TIMEOUT } from '../errors/index.ts'
import { failureEnvelope } from './envelope.ts'
import { endAndLinger } from './linger.ts'

/** How long a client may go on sending after it has been answered. */
export const LINGER_MS = 10_000

/** Answers bytes that Node could not read as a request: there is no reply object to send it with. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // What the client was still sending when it was answered.
  if (socket.writableEnded) return
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  endAndLinger(socket, LINGER_MS, rawAnswer(failureOf(error.code), requestIdOf(undefined)))
}

function failureOf(code: string | undefined): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new REQUEST_TIMEOUT()
  return code === 'HPE_HEADER_OVERFLOW' ? new HEADERS_TOO_LARGE() : new MALFORMED_REQUEST()
}

function rawAnswer(failure: ApiError, requestId: string): string {
  const body = JSON.stringify(failureEnvelope(failure, requestId))
  return (
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`
  )
}
