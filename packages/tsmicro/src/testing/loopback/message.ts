import { Empty, type Msg, type MsgHdrs, MsgHdrsImpl, type Payload, type ReviverFn } from '@nats-io/nats-core'
import type { Packet, Sending } from './packet.ts'

/** Sends an answer. */
export type Respond = (subject: string, payload: Payload, sending: Sending) => void

const decoder = new TextDecoder()

/** A message as a subscriber gets it: with bytes of its own. */
export class LoopbackMessage implements Msg {
  readonly subject: string
  readonly sid: number
  readonly reply: string
  readonly data: Uint8Array
  /** Read only when asked for, as by nats.js: then a malformed block throws. */
  declare readonly headers?: MsgHdrs
  readonly #respond: Respond

  constructor({ subject, reply, headers, data }: Packet, sid: number, respond: Respond) {
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
