import { createHash } from 'node:crypto'
import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { deadStream, deadSubject } from '../contract/index.ts'
import { PAYLOAD_TOO_LARGE, rootMessage } from '../errors/index.ts'
import { decodeValue, encodeValue, placeOf, type SentHeaders } from './headers.ts'
import type { JetStream, PubAck, StoredMessage } from './jetstream/index.ts'
import type { Incoming } from './order.ts'

/** As headers are read: setting one again replaces it. */
const SUBJECT = 'tsmicro-dead-subject'
const ERROR = 'tsmicro-dead-error'
const TRIES = 'tsmicro-dead-tries'
const TIME = 'tsmicro-dead-time'
/** Number of the message with the data, or the size of data that is too large for one. */
const DATA = 'tsmicro-dead-data'
const LOST = 'tsmicro-dead-lost-bytes'
const SKIPPED = '.skipped'
const APART = '.data'
const LONGEST_ERROR = 1000
const SHORT_ERROR = 100
const LONGEST_ATTRIBUTE = 4096
const LONGEST_TOKEN = 128

/** What a consumer has given up on. */
export interface DeadCounts {
  /** Letters that were not skipped. */
  readonly dead: number
  /** Their aggregates. */
  readonly parked: number
  readonly skipped: number
}

/** An event that was given up on, kept as it came. */
export interface DeadLetter extends Incoming {
  readonly id: string
  readonly error: string
  /** 0 = it was kept because others are missing, or behind another letter of its aggregate. */
  readonly tries: number
  /** When it was kept, ISO 8601. */
  readonly time: string
  /** It is no longer waited for. */
  readonly skipped: boolean
}

/**
 * The dead letters of one consumer, in a stream of its service. An aggregate is parked as long as it has one that was not skipped: what
 * comes behind is kept as well. The stream alone says so; what a process remembers only spares it questions.
 */
export class DeadLetters {
  readonly #js: JetStream
  readonly #stream: string
  readonly #subject: string
  /** Aggregates that are parked, as far as this process knows. */
  readonly parked = new Set<string>()
  /** The number in the stream up to which it knows them, and when that stream was created. */
  #known = 0
  #created: string | undefined

  constructor(js: JetStream, service: string, name: string, type: string) {
    this.#js = js
    this.#stream = deadStream(service)
    this.#subject = `${deadSubject(service)}.${name}.${type}`
  }

  /** Learns which aggregates are parked. */
  async load(): Promise<void> {
    this.#known = 0
    await this.follow()
  }

  /** Learns which ones have been parked since, by other instances as well. */
  async follow(): Promise<void> {
    const created = (await this.#js.stream(this.#stream))?.created
    if (created !== this.#created) this.#known = 0
    this.#created = created
    for await (const { aggregateId, skipped, sequence } of this.all(this.#known)) {
      if (!skipped) this.parked.add(aggregateId)
      this.#known = sequence
    }
  }

  async keep(event: Incoming, error: unknown, tries: number): Promise<void> {
    const { aggregateId } = event
    this.parked.add(aggregateId)
    await this.#store(event, error, tries)
    // Who looked before it was stored has found none, and may have said so since.
    this.parked.add(aggregateId)
  }

  async #store(event: Incoming, error: unknown, tries: number): Promise<void> {
    const { aggregateId, number = 0, subject } = event
    const target = `${this.#subject}.${tokenOf(aggregateId)}.${number}`
    // It may have come again after its acknowledgement was lost.
    if (number > 0 && (await this.#js.message(this.#stream, { last_by_subj: target }))) return
    const message = rootMessage(error)
    const made = (longest: number, which?: (name: string, value: string) => boolean) => {
      const copied = copiedHeaders(event.headers, which)
      copied.set(SUBJECT, subject)
      copied.set(ERROR, encodeValue(message.slice(0, longest)))
      copied.set(TRIES, String(tries))
      copied.set(TIME, new Date().toISOString())
      return copied
    }
    if (await this.#fits(target, event.text(), made(LONGEST_ERROR))) return
    // The event alone was not too large.
    const least = made(SHORT_ERROR, (name, value) => name.startsWith('ce-') && value.length <= LONGEST_ATTRIBUTE)
    const apart = await this.#fits(`${target}${APART}`, event.text(), headers())
    if (apart) least.set(DATA, String(apart.sequence))
    else least.set(LOST, String(Buffer.byteLength(event.text())))
    await this.#js.publish(target, '', least)
  }

  /** Undefined if the message is too large for the server. */
  async #fits(subject: string, data: string | Uint8Array, made: MsgHdrs): Promise<PubAck | undefined> {
    try {
      return await this.#js.publish(subject, data, made)
    } catch (err) {
      if (err instanceof PAYLOAD_TOO_LARGE) return undefined
      throw err
    }
  }

  /** A letter that was kept without having been tried has failed itself. */
  async blame(letter: DeadLetter, error: unknown, tries: number): Promise<void> {
    const stored = await this.#js.message(this.#stream, { seq: letter.sequence })
    if (!stored) return
    const { subject, data } = stored
    const made = (longest: number) => {
      const copied = copiedHeaders(stored.headers)
      copied.set(ERROR, encodeValue(rootMessage(error).slice(0, longest)))
      copied.set(TRIES, String(tries))
      copied.set(TIME, new Date().toISOString())
      return copied
    }
    if (!(await this.#fits(subject, data, made(LONGEST_ERROR))))
      await this.#js.publish(subject, data, made(letter.error.length))
    // What is kept apart stays.
    await this.#js.deleteMessage(this.#stream, letter.sequence)
  }

  /** The first letter of an aggregate that was not skipped. */
  async first(aggregateId: string): Promise<DeadLetter | undefined> {
    const query = { seq: 1, next_by_subj: `${this.#subject}.${tokenOf(aggregateId)}.*` }
    const found = await this.#js.message(this.#stream, query)
    return found && this.#read(found)
  }

  /** All letters of an aggregate that were not skipped, in their order. */
  async of(aggregateId: string): Promise<readonly DeadLetter[]> {
    const found: DeadLetter[] = []
    for await (const letter of this.#from(`${this.#subject}.${tokenOf(aggregateId)}.*`)) found.push(letter)
    return found.sort((one, other) => (one.number ?? 0) - (other.number ?? 0) || one.sequence - other.sequence)
  }

  /** All letters, skipped ones as well, in the order in which they were kept. @param after number in the stream */
  all(after = 0): AsyncGenerator<DeadLetter> {
    return this.#from(`${this.#subject}.>`, after)
  }

  /** All letters of an aggregate, skipped ones as well. @param after number in the stream */
  about(aggregateId: string, after = 0): AsyncGenerator<DeadLetter> {
    return this.#from(`${this.#subject}.${tokenOf(aggregateId)}.>`, after)
  }

  async count(): Promise<DeadCounts> {
    const { state } = (await this.#js.stream(this.#stream, `${this.#subject}.>`)) ?? {}
    const counted = Object.entries(state?.subjects ?? {}).filter(([subject]) => !subject.endsWith(APART))
    const sum = (skipped: boolean) =>
      counted.reduce((total, [subject, count]) => total + (subject.endsWith(SKIPPED) === skipped ? count : 0), 0)
    const waiting = counted.filter(([subject]) => !subject.endsWith(SKIPPED))
    const parked = new Set(waiting.map(([subject]) => subject.slice(0, subject.lastIndexOf('.'))))
    return { dead: sum(false), parked: parked.size, skipped: sum(true) }
  }

  async remove({ sequence, headers: sent }: DeadLetter): Promise<void> {
    await this.#js.deleteMessage(this.#stream, sequence)
    const apart = sent[DATA]
    if (apart) await this.#js.deleteMessage(this.#stream, Number(apart))
  }

  /** Keeps a letter without waiting for it any longer. */
  async skip(letter: DeadLetter): Promise<undefined> {
    const stored = await this.#js.message(this.#stream, { seq: letter.sequence })
    if (!stored || letter.skipped) return
    await this.#js.publish(`${stored.subject}${SKIPPED}`, stored.data, copiedHeaders(stored.headers))
    await this.#js.deleteMessage(this.#stream, letter.sequence)
  }

  async *#from(subject: string, after = 0): AsyncGenerator<DeadLetter> {
    for (let seq = after + 1; ; ) {
      const found = await this.#js.message(this.#stream, { seq, next_by_subj: subject })
      if (!found) return
      const letter = await this.#read(found)
      if (letter) yield letter
      seq = found.sequence + 1
    }
  }

  /** Undefined for data that is kept apart. */
  async #read(found: StoredMessage): Promise<DeadLetter | undefined> {
    const seq = Number(found.headers[DATA] ?? 0)
    const { data } = (seq > 0 ? await this.#js.message(this.#stream, { seq }) : undefined) ?? found
    return readLetter({ ...found, data })
  }
}

function copiedHeaders(sent: SentHeaders, which: (name: string, value: string) => boolean = () => true): MsgHdrs {
  const made = headers()
  for (const [name, value] of Object.entries(sent))
    if (value !== undefined && !name.startsWith('nats-') && which(name, value)) made.set(name, value)
  return made
}

function readLetter({ subject, headers: sent, sequence, data }: StoredMessage): DeadLetter | undefined {
  const place = placeOf(sent)
  if (!place) return undefined
  return {
    ...place,
    subject: sent[SUBJECT] ?? '',
    headers: sent,
    sequence,
    fresh: false,
    text() {
      const lost = sent[LOST]
      if (lost === undefined) return Buffer.from(data).toString()
      throw new Error(
        `its ${lost} bytes of data are larger than the server accepts: skip it, and have its source announce its state`,
      )
    },
    id: decodeValue(sent['ce-id'] ?? ''),
    error: decodeValue(sent[ERROR] ?? ''),
    tries: Number(sent[TRIES]),
    time: sent[TIME] ?? '',
    skipped: subject.endsWith(SKIPPED),
  }
}

/** A text as one token of a subject: as it is where that is possible. */
function tokenOf(id: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(id) && id.length <= LONGEST_TOKEN) return id
  const encoded = `=${Buffer.from(id).toString('base64url')}`
  if (encoded.length <= LONGEST_TOKEN) return encoded
  return `==${createHash('sha256').update(id).digest('base64url')}`
}
