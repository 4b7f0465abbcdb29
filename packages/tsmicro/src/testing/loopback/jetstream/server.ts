import type { ConsumerConfig, MessageQuery, StreamConfig } from '../../../events/index.ts'
import { tokensOf } from '../../../nats/index.ts'
import type { Packet } from '../message.ts'
import { Consumer } from './consumer.ts'
import type { Outlet, PullRequest } from './pulls.ts'
import {
  headersTooLarge,
  nameInUse,
  nameMismatch,
  noConsumer,
  noSequence,
  noStream,
  Refusal,
  subjectsOverlap,
} from './refusal.ts'
import { Stream } from './stream.ts'

interface JetStreamParts extends Outlet {
  /** Does something in a later turn of the broker, unless that is down by then. */
  readonly later: (work: () => void) => void
}

const API = '$JS.API.'
const ACK = '$JS.ACK.'
/** A server writes their length in two bytes. */
const LONGEST_HEADERS = 65_535
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * The server's half of JetStream: streams and durable pull consumers, as far as our client uses them. It outlives lost connections, as if
 * everything were in files.
 */
export class JetStreamServer {
  readonly #parts: JetStreamParts
  readonly #streams = new Map<string, Stream>()
  /** By `<stream>.<name>`. */
  readonly #consumers = new Map<string, Consumer>()

  constructor(parts: JetStreamParts) {
    this.#parts = parts
  }

  /** Handles what is meant for it. Returns whether it was. */
  take(packet: Packet): boolean {
    const { subject, reply, data } = packet
    if (subject.startsWith(API)) return this.#request(subject.slice(API.length), reply, decoder.decode(data))
    if (subject.startsWith(ACK)) return this.#answered(subject.slice(ACK.length), decoder.decode(data))
    const tokens = tokensOf(subject)
    for (const [stream, each] of this.#streams) {
      if (!each.takes(tokens)) continue
      this.#answer(reply, { stream, ...this.#store(each, packet) })
      return true
    }
    return false
  }

  /** All connections are lost. */
  lost(): void {
    for (const consumer of this.#consumers.values()) consumer.lost()
  }

  /** Connections can be made again. */
  back(): void {
    for (const consumer of this.#consumers.values()) consumer.tick()
  }

  #store(stream: Stream, packet: Packet): object {
    if (packet.headers.length > LONGEST_HEADERS) return { error: headersTooLarge().error, seq: 0 }
    return stream.store(packet)
  }

  #request(name: string, reply: string, text: string): boolean {
    const [kind = '', ...tokens] = name.split('.')
    const verb = tokens[0] === 'MSG' ? tokens.splice(0, 2).join('.') : (tokens.shift() ?? '')
    const [stream = '', consumer = ''] = tokens
    if (`${kind}.${verb}` === 'CONSUMER.MSG.NEXT') {
      const found = this.#consumers.get(`${stream}.${consumer}`)
      found?.pull(reply, JSON.parse(text) as PullRequest)
      return found !== undefined
    }
    const handle = this.#handlers[`${kind}.${verb}`]
    if (!handle) return false
    const type = `io.nats.jetstream.api.v1.${kind}_${verb.replace('.', '_')}_response`.toLowerCase()
    try {
      this.#answer(reply, { type, ...handle(text, stream, consumer) })
    } catch (err) {
      if (!(err instanceof Refusal)) throw err
      this.#answer(reply, { type, error: err.error })
    }
    return true
  }

  /** By the name of the request, without that of the stream. */
  readonly #handlers: Readonly<Record<string, (text: string, stream: string, consumer: string) => object>> = {
    'STREAM.INFO': (_, stream) => this.#stream(stream).info(),
    'STREAM.CREATE': (text, name) => {
      const config: StreamConfig = JSON.parse(text)
      const found = this.#streams.get(name)
      if (config.name !== name) throw nameMismatch()
      if (found && !found.isMadeWith(config)) throw nameInUse()
      this.#assertFree(config)
      const stream = found ?? new Stream(config)
      this.#streams.set(name, stream)
      return { ...stream.info(), did_create: true }
    },
    'STREAM.UPDATE': (text, name) => {
      const config: StreamConfig = JSON.parse(text)
      const stream = this.#stream(name)
      if (config.name !== name) throw nameMismatch()
      this.#assertFree(config)
      stream.configure(config)
      return stream.info()
    },
    'STREAM.MSG.GET': (text, stream) => {
      const query: MessageQuery = JSON.parse(text)
      const { sequence: seq, subject, time, headers, data } = this.#stream(stream).find(query)
      const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
      const hdrs = headers.length > 0 ? { hdrs: base64(headers) } : {}
      return { message: { subject, seq, ...hdrs, data: base64(data), time: new Date(time).toISOString() } }
    },
    'STREAM.MSG.DELETE': (text, stream) => {
      const { seq }: { readonly seq: number } = JSON.parse(text)
      if (!this.#stream(stream).delete(seq)) throw noSequence(seq)
      return { success: true }
    },
    'CONSUMER.CREATE': (text, name, durable) => {
      const { config }: { readonly config: ConsumerConfig } = JSON.parse(text)
      const stream = this.#stream(name)
      const found = this.#consumers.get(`${name}.${durable}`)
      found?.update(config)
      const consumer = found ?? new Consumer({ ...this.#parts, stream }, config)
      this.#consumers.set(`${name}.${durable}`, consumer)
      return consumer.info()
    },
    'CONSUMER.INFO': (_, stream, durable) => this.#consumer(stream, durable).info(),
    'CONSUMER.UNPIN': (_, stream, durable) => {
      this.#consumer(stream, durable).unpin()
      return {}
    },
    'CONSUMER.DELETE': (_, stream, durable) => {
      this.#consumer(stream, durable).end()
      this.#consumers.delete(`${stream}.${durable}`)
      return { success: true }
    },
  }

  /** `<stream>.<consumer>.<deliveries>.<sequence>.…` */
  #answered(name: string, text: string): boolean {
    const [stream = '', consumer = '', , sequence] = name.split('.')
    const found = this.#consumers.get(`${stream}.${consumer}`)
    found?.answered(Number(sequence), text)
    return found !== undefined
  }

  #stream(name: string): Stream {
    const stream = this.#streams.get(name)
    if (!stream) throw noStream()
    return stream
  }

  #consumer(stream: string, durable: string): Consumer {
    this.#stream(stream)
    const consumer = this.#consumers.get(`${stream}.${durable}`)
    if (!consumer) throw noConsumer()
    return consumer
  }

  #assertFree(config: StreamConfig): void {
    for (const [name, stream] of this.#streams)
      if (name !== config.name && stream.overlaps(config)) throw subjectsOverlap()
  }

  #answer(reply: string, answer: object): void {
    if (reply === '') return
    const data = encoder.encode(JSON.stringify(answer))
    this.#parts.deliver(reply, { subject: reply, reply: '', headers: new Uint8Array(), data })
  }
}
