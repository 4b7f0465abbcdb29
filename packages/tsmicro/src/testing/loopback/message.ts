import {
  Empty,
  InvalidArgumentError,
  type Msg,
  type MsgHdrs,
  MsgHdrsImpl,
  type Payload,
  type ReviverFn,
} from '@nats-io/nats-core'

/** A message on the wire: only text and bytes, so that what does not survive a real wire does not survive here. */
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
  readonly headers?: MsgHdrs | { encode(): Uint8Array }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const NO_RESPONDERS = encoder.encode('NATS/1.0 503\r\n\r\n')

/** @throws {InvalidArgumentError} when it is larger than the server accepts; {TypeError} for a payload that is not text or bytes */
export function encodePacket(subject: string, payload: Payload, sending: Sending, maxPayload: number): Packet {
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array))
    throw new TypeError('payload types can be strings or Uint8Array')
  const data = typeof payload === 'string' ? encoder.encode(payload) : new Uint8Array(payload)
  // nats-core does the same, because it has made every MsgHdrs itself.
  const headers = sending.headers ? (sending.headers as MsgHdrsImpl).encode() : Empty
  if (headers.length + data.length > maxPayload)
    throw InvalidArgumentError.format('payload', 'max_payload size exceeded')
  return { subject, reply: sending.reply ?? '', headers, data }
}

/** A server's answer to a message that has no receiver. */
export function noResponders(reply: string): Packet {
  return { subject: reply, reply: '', headers: NO_RESPONDERS, data: Empty }
}

/** A message as a subscriber receives it, with its own copy of the bytes. */
export class LoopbackMessage implements Msg {
  readonly subject: string
  readonly sid: number
  readonly reply: string
  readonly data: Uint8Array
  /** Decoded on demand, as by nats.js, and only then throws for a malformed block. */
  declare readonly headers?: MsgHdrs
  readonly #respond: (subject: string, payload: Payload, sending: Sending) => void

  constructor(
    { subject, reply, headers, data }: Packet,
    sid: number,
    respond: (subject: string, payload: Payload, sending: Sending) => void,
  ) {
    this.subject = subject
    this.reply = reply
    this.sid = sid
    this.data = data.slice()
    this.#respond = respond
    let decoded: MsgHdrs | undefined
    const get = () => {
      decoded ??= MsgHdrsImpl.decode(headers)
      return decoded
    }
    if (headers.length > 0) Object.defineProperty(this, 'headers', { get })
  }

  respond(payload: Payload = Empty, sending: Sending = {}): boolean {
    if (this.reply === '') return false
    this.#respond(this.reply, payload, sending)
    return true
  }

  string(): string {
    return decoder.decode(this.data)
  }

  json<T>(reviver?: ReviverFn): T {
    return JSON.parse(this.string(), reviver)
  }
}
