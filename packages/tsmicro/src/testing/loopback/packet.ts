import { Empty, InvalidArgumentError, type MsgHdrs, type MsgHdrsImpl, type Payload } from '@nats-io/nats-core'

/** A message as it travels: nothing but text and bytes, so that what does not survive a wire does not survive here. */
export interface Packet {
  readonly subject: string
  /** '' for none. */
  readonly reply: string
  /** The header block, empty for none. */
  readonly headers: Uint8Array
  readonly data: Uint8Array
}

export interface Sending {
  readonly reply?: string
  readonly headers?: MsgHdrs
}

const encoder = new TextEncoder()
const NO_RESPONDERS = encoder.encode('NATS/1.0 503\r\n\r\n')

/** @throws {InvalidArgumentError} when it is larger than the server takes; {TypeError} for a payload that is no text or bytes */
export function encodePacket(subject: string, payload: Payload, sending: Sending, maxPayload: number): Packet {
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array))
    throw new TypeError('payload types can be strings or Uint8Array')
  const data = typeof payload === 'string' ? encoder.encode(payload) : payload.slice()
  // As nats-core does it: every MsgHdrs is one that it made.
  const headers = sending.headers ? (sending.headers as MsgHdrsImpl).encode() : Empty
  if (headers.length + data.length > maxPayload)
    throw InvalidArgumentError.format('payload', 'max_payload size exceeded')
  return { subject, reply: sending.reply ?? '', headers, data }
}

/** What a server says to the reply subject of a message that nobody takes. */
export function noResponders(reply: string): Packet {
  return { subject: reply, reply: '', headers: NO_RESPONDERS, data: Empty }
}
