import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core'
import { pullSubject } from '../contract/index.ts'
import { decodeReply, type Failure } from './wire.ts'

/*
 * Answers of many messages, which are streams and files; see docs/messaging.md. The caller opens one with a request, whose answer is an
 * {@link Opening}, and then pulls: each {@link Pull} is a request to the instance that holds it, with a reply subject for the messages
 * that follow. So a service needs no other permission than to reply, and a slow caller holds it back.
 */

/** In the request that opens one, so that callers that expect one message are refused. */
export const PULLS = 'Tsmicro-Pulls'
/** In each message: the number of items or chunks before it. If it is not what the caller has received, something was lost. */
export const SEQUENCE = 'Tsmicro-Sequence'
/** In the last message, unless that is a failure. */
export const END = 'Tsmicro-End'
/** In the request of a caller that comes back for the rest of a stream. */
export const LAST_EVENT_ID = 'Last-Event-ID'

/** Milliseconds after which a caller that has not pulled counts as gone, unless its last pull says otherwise. */
export const LEASE_MS = 15_000
/** A reply subject may be used for at least a minute after its message. */
const LONGEST_LEASE_MS = 30_000
/** Room for the headers of a message. */
export const HEADER_BYTES = 512

/** The answer to the request that opens a stream or a file. */
export interface Opening {
  /** Nobody can guess it. */
  readonly stream: string
  /** The subject for pulls. */
  readonly pull: string
  /** Of a file, as over HTTP. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Permission to send more. Totals since the beginning, so that nothing depends on how many pulls arrive. */
export interface Pull {
  readonly stream: string
  /** How many items or chunks may be sent. */
  readonly items: number
  /** Nothing more is sent once the messages have so many bytes. */
  readonly bytes: number
  /** Milliseconds until the next pull at the latest. */
  readonly leaseMs: number
}

/** How one ends: for good, or with the request to come back. */
export type End = 'done' | 'again'

/** A message of a stream or file as it arrived. */
export interface FlowMessage {
  /** Absent in a message that is not part of one. */
  readonly sequence: number | undefined
  readonly end: End | undefined
  readonly failure: Failure | undefined
}

/** @param lastEventId of the last item that the caller has received, if it comes back */
export function openingHeaders(lastEventId?: string): Readonly<Record<string, string>> {
  return { [PULLS]: '1', ...(lastEventId === undefined ? {} : { [LAST_EVENT_ID]: lastEventId }) }
}

/** Reads the answer to a request on a subject; undefined if it is not an opening. */
export function readOpening(data: unknown, subject: string): Opening | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { stream, pull, headers } = data as Partial<Opening>
  if (typeof stream !== 'string' || typeof pull !== 'string') return undefined
  // Never publish where the other side likes.
  const [instance = ''] = pull.split('.').slice(-1)
  if (pull !== pullSubject(subject, instance) || !/^[\w-]+$/.test(instance)) return undefined
  try {
    return { stream, pull, headers: Object.fromEntries(new Headers(headers)) }
  } catch {
    return undefined
  }
}

/** Returns undefined for a message that is not a pull. */
export function readPull(text: string): Pull | undefined {
  try {
    const { stream, items, bytes, leaseMs = LEASE_MS } = JSON.parse(text) as Partial<Pull>
    if (typeof stream !== 'string' || !(Number(items) >= 0) || !(Number(bytes) >= 0) || !(leaseMs > 0)) return undefined
    return { stream, items: Number(items), bytes: Number(bytes), leaseMs: Math.min(leaseMs, LONGEST_LEASE_MS) }
  } catch {
    return undefined
  }
}

/** @param made headers to add to, of a failure */
export function flowHeaders(sequence: number, end?: End, made: MsgHdrs = headers()): MsgHdrs {
  made.set(SEQUENCE, String(sequence))
  if (end) made.set(END, end)
  return made
}

/** @throws {Error} for malformed headers, or a failure whose body is not JSON */
export function readFlowMessage(msg: Msg): FlowMessage {
  const sent = msg.headers
  const sequence = Number(sent?.get(SEQUENCE) || Number.NaN)
  const end = sent?.get(END)
  const failed = Number.isNaN(sequence) || sent?.has('Nats-Service-Error-Code')
  return {
    sequence: sequence >= 0 ? sequence : undefined,
    end: end === 'done' || end === 'again' ? end : undefined,
    failure: failed ? decodeReply(msg).failure : undefined,
  }
}
