import { createHash } from 'node:crypto'
import { headers } from '@nats-io/nats-core'
import { deadStream, deadSubject } from '../contract/index.ts'
import { rootMessage } from '../errors/index.ts'
import { decodeValue, encodeValue, placeOf } from './headers.ts'
import type { JetStream, StoredMessage } from './jetstream/index.ts'
import type { Incoming } from './order.ts'

const SUBJECT = 'Tsmicro-Dead-Subject'
const ERROR = 'Tsmicro-Dead-Error'
const TRIES = 'Tsmicro-Dead-Tries'
const TIME = 'Tsmicro-Dead-Time'
const SKIPPED = '.skipped'
const LONGEST_ERROR = 1000
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

  constructor(js: JetStream, service: string, name: string, type: string) {
    this.#js = js
    this.#stream = deadStream(service)
    this.#subject = `${deadSubject(service)}.${name}.${type}`
  }

  /** Learns which aggregates are parked. */
  async load(): Promise<void> {
    for await (const { aggregateId, skipped } of this.all()) if (!skipped) this.parked.add(aggregateId)
  }

  async keep(event: Incoming, error: unknown, tries: number): Promise<void> {
    const { aggregateId, number = 0, subject } = event
    this.parked.add(aggregateId)
    const target = `${this.#subject}.${tokenOf(aggregateId)}.${number}`
    // It may have come again after its acknowledgement was lost.
    if (number > 0 && (await this.#js.message(this.#stream, { last_by_subj: target }))) return
    const made = headers()
    for (const [name, value] of Object.entries(event.headers))
      if (value !== undefined && !name.startsWith('nats-')) made.set(name, value)
    made.set(SUBJECT, subject)
    made.set(ERROR, encodeValue(rootMessage(error).slice(0, LONGEST_ERROR)))
    made.set(TRIES, String(tries))
    made.set(TIME, new Date().toISOString())
    await this.#js.publish(target, event.text(), made)
  }

  /** The first letter of an aggregate that was not skipped. */
  async first(aggregateId: string): Promise<DeadLetter | undefined> {
    const query = { seq: 1, next_by_subj: `${this.#subject}.${tokenOf(aggregateId)}.*` }
    const found = await this.#js.message(this.#stream, query)
    return found && readLetter(found)
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
    const counted = Object.entries(state?.subjects ?? {})
    const sum = (skipped: boolean) =>
      counted.reduce((total, [subject, count]) => total + (subject.endsWith(SKIPPED) === skipped ? count : 0), 0)
    const waiting = counted.filter(([subject]) => !subject.endsWith(SKIPPED))
    const parked = new Set(waiting.map(([subject]) => subject.slice(0, subject.lastIndexOf('.'))))
    return { dead: sum(false), parked: parked.size, skipped: sum(true) }
  }

  async remove({ sequence }: DeadLetter): Promise<void> {
    await this.#js.deleteMessage(this.#stream, sequence)
  }

  /** Keeps a letter without waiting for it any longer. */
  async skip(letter: DeadLetter): Promise<undefined> {
    const stored = await this.#js.message(this.#stream, { seq: letter.sequence })
    if (!stored || letter.skipped) return
    const made = headers()
    for (const [name, value] of Object.entries(stored.headers))
      if (value !== undefined && !name.startsWith('nats-')) made.set(name, value)
    await this.#js.publish(`${stored.subject}${SKIPPED}`, stored.data, made)
    await this.remove(letter)
  }

  async *#from(subject: string, after = 0): AsyncGenerator<DeadLetter> {
    for (let seq = after + 1; ; ) {
      const found = await this.#js.message(this.#stream, { seq, next_by_subj: subject })
      if (!found) return
      const letter = readLetter(found)
      if (letter) yield letter
      seq = found.sequence + 1
    }
  }
}

function readLetter({ subject, headers: sent, sequence, data }: StoredMessage): DeadLetter | undefined {
  const place = placeOf(sent)
  if (!place) return undefined
  return {
    ...place,
    subject: sent[SUBJECT.toLowerCase()] ?? '',
    headers: sent,
    sequence,
    fresh: false,
    text: () => Buffer.from(data).toString(),
    id: decodeValue(sent['ce-id'] ?? ''),
    error: decodeValue(sent[ERROR.toLowerCase()] ?? ''),
    tries: Number(sent[TRIES.toLowerCase()]),
    time: sent[TIME.toLowerCase()] ?? '',
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
