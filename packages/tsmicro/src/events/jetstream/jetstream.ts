import { type Msg, type MsgHdrs, NoRespondersError, PermissionViolationError } from '@nats-io/nats-core'
import { DEADLINE_EXCEEDED, MALFORMED_REPLY, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { follow, type NatsLink, NOT_PERMITTED, type Transport } from '../../nats/index.ts'
import { type ApiFailure, errorOf, JetStreamError, withoutJetStream } from './error.ts'
import type {
  ConsumerConfig,
  ConsumerInfo,
  MessageQuery,
  PubAck,
  StoredMessage,
  StreamConfig,
  StreamInfo,
} from './info.ts'
import { Pull, type PullOptions, type PullOutcome } from './pull.ts'
import { readStored, type StoredReply } from './stored.ts'

const API = '$JS.API'
const TIMEOUT_MS = 5000

interface StoredAck {
  readonly stream?: unknown
  readonly seq?: unknown
  readonly duplicate?: boolean
}

/**
 * JetStream on the connection of a service: what events need of it. Not the libraries' client, which would bring a connection of their kind
 * and a subscription for each request; this one also runs on the loopback broker.
 *
 * All methods but {@link pull} reject with a SERVICE_UNAVAILABLE while the connection is down, a DEADLINE_EXCEEDED if the server does not
 * answer, a NOT_PERMITTED if it refuses this user, a {@link JetStreamError} for what it says is wrong, and an UnusableError if it has no
 * JetStream.
 */
export class JetStream {
  readonly #nats: NatsLink
  #transport: Transport | undefined
  readonly #pulls = new Set<Pull>()

  constructor(nats: NatsLink) {
    this.#nats = nats
  }

  /** Undefined if there is none. @param counted the pattern of the subjects whose messages are counted */
  stream(name: string, counted?: string): Promise<StreamInfo | undefined> {
    return orUndefined(
      this.#api(`STREAM.INFO.${name}`, counted === undefined ? undefined : { subjects_filter: counted }),
    )
  }

  createStream(config: StreamConfig): Promise<StreamInfo> {
    return this.#api(`STREAM.CREATE.${config.name}`, config)
  }

  updateStream(config: StreamConfig): Promise<StreamInfo> {
    return this.#api(`STREAM.UPDATE.${config.name}`, config)
  }

  /** Undefined if there is none, nor if its stream does not exist. */
  consumer(stream: string, durable: string): Promise<ConsumerInfo | undefined> {
    return orUndefined(this.#api(`CONSUMER.INFO.${stream}.${durable}`))
  }

  /** Creates it if it is new, and changes it otherwise. */
  createConsumer(stream: string, config: ConsumerConfig): Promise<ConsumerInfo> {
    return this.#api(`CONSUMER.CREATE.${stream}.${config.durable_name}`, { stream_name: stream, config })
  }

  /** Resolves to whether there was one. */
  async deleteConsumer(stream: string, durable: string): Promise<boolean> {
    return (await orUndefined(this.#api(`CONSUMER.DELETE.${stream}.${durable}`))) !== undefined
  }

  /** Lets another client of a group be pinned at once. */
  async unpin(stream: string, durable: string, group: string): Promise<void> {
    await this.#api(`CONSUMER.UNPIN.${stream}.${durable}`, { group })
  }

  /** Undefined if there is none. */
  async message(stream: string, query: MessageQuery): Promise<StoredMessage | undefined> {
    const reply = await orUndefined(this.#api<StoredReply>(`STREAM.MSG.GET.${stream}`, query))
    return reply && readStored(reply)
  }

  /** Resolves to whether there was one. */
  async deleteMessage(stream: string, sequence: number): Promise<boolean> {
    return (
      (await orUndefined(this.#api(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: false }))) !== undefined
    )
  }

  /**
   * Resolves once a stream has stored the message.
   * @throws {SERVICE_UNAVAILABLE} also when no stream has this subject
   * @throws {PAYLOAD_TOO_LARGE} when it is larger than the server accepts
   */
  async publish(subject: string, payload: string | Uint8Array, headers: MsgHdrs): Promise<PubAck> {
    const msg = await this.#exchange(subject, payload, headers).catch((err: unknown) => {
      // Whoever else listens there does not answer.
      throw err instanceof DEADLINE_EXCEEDED ? unstored(subject) : err
    })
    const { stream, seq, duplicate = false } = readReply<StoredAck>(msg, subject)
    if (typeof stream !== 'string' || typeof seq !== 'number') throw malformed(subject)
    return { stream, sequence: seq, duplicate }
  }

  /**
   * Asks a consumer for messages. Resolves when this pull is over, for whatever reason.
   * @throws {NOT_PERMITTED} when the server refuses this user
   */
  async pull(stream: string, durable: string, options: PullOptions): Promise<PullOutcome> {
    if (!this.#nats.connected) return { end: 'lost', received: 0, pinId: options.pinId }
    const transport = this.#follow(this.#nats.use())
    const pull = new Pull(transport, `${API}.CONSUMER.MSG.NEXT.${stream}.${durable}`, this.#nats.createInbox(), options)
    this.#pulls.add(pull)
    const outcome = await pull.outcome.finally(() => this.#pulls.delete(pull))
    if (outcome.end !== 'consumer gone') return outcome
    const gone = await this.stream(stream)
      .then(info => info === undefined)
      .catch(() => false)
    return gone ? { ...outcome, end: 'stream gone' } : outcome
  }

  /** Pulls end with the connection. */
  #follow(transport: Transport): Transport {
    if (this.#transport === transport) return transport
    this.#transport = transport
    const lose = () => {
      if (this.#transport === transport) for (const pull of [...this.#pulls]) pull.end('lost')
    }
    void follow(transport, {
      disconnect: lose,
      close: lose,
      error: ({ error }) => {
        if (!(error instanceof PermissionViolationError)) return
        for (const pull of [...this.#pulls])
          if (pull.subject === error.subject) pull.fail(this.#notPermitted(pull.subject, error))
      },
    })
    return transport
  }

  async #api<Reply>(name: string, request?: object): Promise<Reply> {
    const subject = `${API}.${name}`
    const payload = request === undefined ? '' : JSON.stringify(request)
    const reply = await this.#exchange(subject, payload).catch((err: unknown) => {
      // With JetStream, the server itself listens there.
      throw err instanceof SERVICE_UNAVAILABLE && err.cause instanceof NoRespondersError ? withoutJetStream(err) : err
    })
    return readReply(reply, subject)
  }

  async #exchange(subject: string, payload: string | Uint8Array, headers?: MsgHdrs): Promise<Msg> {
    try {
      return await this.#nats.exchange(subject, payload, { timeoutMs: TIMEOUT_MS, ...(headers ? { headers } : {}) })
    } catch (err) {
      throw err instanceof NOT_PERMITTED ? this.#notPermitted(subject, err) : err
    }
  }

  #notPermitted(subject: string, cause: unknown): Error {
    const list = subject.startsWith('$') ? undefined : 'publishes'
    return new NOT_PERMITTED(undefined, { message: this.#nats.refusal(`publish "${subject}"`, list), cause })
  }
}

function readReply<Reply>(msg: Msg, subject: string): Reply {
  let reply: { readonly error?: ApiFailure }
  try {
    reply = JSON.parse(msg.string())
  } catch (cause) {
    throw malformed(subject, cause)
  }
  if (typeof reply !== 'object' || reply === null) throw malformed(subject)
  if (reply.error) throw errorOf(reply.error, subject)
  return reply as Reply
}

function unstored(subject: string): Error {
  const cause = new Error(`no stream has stored "${subject}" within ${TIMEOUT_MS / 1000} s: there may be none for it`)
  return new DEADLINE_EXCEEDED(undefined, { cause })
}

function malformed(subject: string, inner?: unknown): Error {
  const cause = new Error(`${subject} is not answered by JetStream`, { cause: inner })
  return new MALFORMED_REPLY(undefined, { cause })
}

async function orUndefined<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply
  } catch (err) {
    if (err instanceof JetStreamError && err.code === 404) return undefined
    throw err
  }
}
