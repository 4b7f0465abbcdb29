import type { Msg } from '@nats-io/nats-core'
import { TE } from '@nats-io/nats-core/internal'
import { decodeHeaders, type Transport } from '../../nats/index.ts'

/** How a message was delivered: the server writes it into the reply subject. */
interface Delivery {
  readonly sequence: number
  readonly deliveries: number
  readonly pending: number
  /** When the stream stored it, in nanoseconds since 1970. */
  readonly time: string
}

const ACK = TE.encode('+ACK')

/** A message that a consumer has delivered. It is delivered again unless it is acknowledged within the consumer's `ack_wait`. */
export class JetStreamMessage {
  readonly #transport: Transport
  readonly #msg: Msg
  readonly #reply: string
  readonly #delivery: Delivery
  #headers: Readonly<Record<string, string | undefined>> | undefined

  constructor(transport: Transport, msg: Msg) {
    this.#transport = transport
    this.#msg = msg
    this.#reply = msg.reply ?? ''
    this.#delivery = deliveryOf(this.#reply)
  }

  get subject(): string {
    return this.#msg.subject
  }

  /** Names in lower case. */
  get headers(): Readonly<Record<string, string | undefined>> {
    this.#headers ??= decodeHeaders(this.#msg)
    return this.#headers
  }

  get data(): Uint8Array {
    return this.#msg.data
  }

  string(): string {
    return this.#msg.string()
  }

  /** Its number in the stream. */
  get sequence(): number {
    return this.#delivery.sequence
  }

  /** How often it has been delivered, counting this time. */
  get deliveries(): number {
    return this.#delivery.deliveries
  }

  /** How many more the consumer could deliver when it delivered this one. */
  get pending(): number {
    return this.#delivery.pending
  }

  /** When the stream stored it, ISO 8601. */
  get time(): string {
    return new Date(Number(BigInt(this.#delivery.time) / 1_000_000n)).toISOString()
  }

  /** It has been handled. Like the others, this may get lost with the connection; then it is delivered again. */
  ack(): void {
    this.#answer(ACK)
  }

  /** Hands it back, to be delivered again, at once or after a delay. */
  nak(delayMs?: number): void {
    this.#answer(delayMs === undefined ? '-NAK' : `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`)
  }

  /** Work goes on: `ack_wait` begins again. */
  working(): void {
    this.#answer('+WPI')
  }

  /** It is never delivered again, although it has not been handled. */
  term(): void {
    this.#answer('+TERM')
  }

  #answer(answer: string | Uint8Array): void {
    if (!this.#transport.isClosed()) this.#transport.publish(this.#reply, answer)
  }
}

/** `$JS.ACK.<stream>.<consumer>.…`; other servers than ours put a domain and an account before the stream, and may add tokens. */
function deliveryOf(reply: string): Delivery {
  const tokens = reply.split('.')
  const at = tokens.length >= 11 ? 6 : 4
  return {
    sequence: Number(tokens[at + 1]),
    deliveries: Number(tokens[at]),
    pending: Number(tokens[at + 4]),
    // Few are asked for it, and so many digits take long to read.
    time: tokens[at + 3] ?? '',
  }
}
