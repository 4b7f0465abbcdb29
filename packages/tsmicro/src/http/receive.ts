import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Deadline } from '../call/index.ts'
import { MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT } from '../errors/index.ts'
import { destroyLater, LINGER_MS } from './linger.ts'

/** A sender has to be at least this fast: one that sends a byte now and then would never be done. */
const LEAST_BYTES_PER_SECOND = 512

/** Connections with a request whose time depends on its progress. */
const receiving = new WeakSet<Socket>()

/** Whether the request on a connection may take longer than the receive time-out. */
export function isReceiving(socket: Socket): boolean {
  return receiving.has(socket)
}

export interface Receipt {
  readonly request: FastifyRequest
  readonly body: Readable
  /** The most bytes to accept. */
  readonly maxBytes: number
  /** Ends the receipt when the caller leaves. */
  readonly deadline: Deadline
  /** Milliseconds in which the next bytes must come. */
  readonly receiveTimeoutMs: number
}

/**
 * Passes the body of a request to a writable until it has ended and `done` resolves. It takes as long as it takes, unless the sender is too slow. The rest of a
 * refused body is discarded, so that its sender can read the answer.
 * @throws {PAYLOAD_TOO_LARGE} {REQUEST_TIMEOUT} {MALFORMED_REQUEST}; what `done` rejects with; the reason why the deadline ended
 */
export async function receive(receipt: Receipt, sink: Writable, done: Promise<unknown>): Promise<void> {
  const { body, deadline, maxBytes, receiveTimeoutMs, request } = receipt
  const { promise: failed, reject } = Promise.withResolvers<never>()
  // What ends before the race begins is not lost, and what ends after it does not matter.
  for (const each of [failed, done]) each.catch(() => {})
  let bytes = 0
  let before = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) reject(new PAYLOAD_TOO_LARGE())
  }
  const least = (LEAST_BYTES_PER_SECOND * receiveTimeoutMs) / 1000
  const check = () => {
    if (bytes - before < least && !body.isPaused() && !body.readableEnded) reject(new REQUEST_TIMEOUT())
    before = bytes
  }
  // What has come during a pause of this process is read before it counts as late.
  const timer = setInterval(() => setImmediate(check), receiveTimeoutMs)
  const forget = deadline.onEnd(reject)
  const { raw } = request
  receiving.add(raw.socket)
  try {
    deadline.throwIfEnded()
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new PAYLOAD_TOO_LARGE()
    body.on('data', count)
    body.once('error', cause => reject(new MALFORMED_REQUEST(undefined, { cause })))
    const ended = new Promise(resolve => body.once('end', resolve))
    body.pipe(sink)
    await Promise.race([done, failed])
    // What follows the last part of a form is not passed on.
    body.unpipe(sink).resume()
    await Promise.race([ended, failed])
  } finally {
    receiving.delete(raw.socket)
    clearInterval(timer)
    forget()
    body.off('data', count).unpipe(sink)
    body.on('error', () => {}).resume()
    // A request of a test has no connection.
    if (!raw.complete && raw.socket instanceof Socket) destroyLater(raw.socket, LINGER_MS, raw)
  }
}
