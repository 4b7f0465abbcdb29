import { isDeepStrictEqual } from 'node:util'
import { MsgHdrsImpl } from '@nats-io/nats-core'
import type { MessageQuery, StreamConfig, StreamInfo } from '../../../events/index.ts'
import { covers, type Tokens, tokensOf } from '../../../nats/index.ts'
import type { Packet } from '../message.ts'
import { noMessage, timeOfCreation } from './refusal.ts'

/** A message of a stream. */
export interface Stored extends Omit<Packet, 'reply'> {
  readonly sequence: number
  /** Milliseconds. */
  readonly time: number
}

/** Who hears what becomes of a stream's messages. */
export interface Reader {
  stored(message: Stored): void
  removed(message: Stored): void
}

const DUPLICATE_WINDOW = 120e9
const NEVER = '0001-01-01T00:00:00Z'

export class Stream {
  readonly created = timeOfCreation()
  readonly readers = new Set<Reader>()
  readonly #messages = new Map<number, Stored>()
  /** `Nats-Msg-Id` → its message; the oldest first. */
  readonly #ids = new Map<string, { readonly sequence: number; readonly time: number }>()
  #config: StreamConfig
  #subjects: readonly Tokens[] = []
  #last = 0

  constructor(config: StreamConfig) {
    this.#config = config
    this.configure(config)
  }

  get config(): StreamConfig {
    return this.#config
  }

  get last(): number {
    return this.#last
  }

  configure(config: StreamConfig): void {
    const common = { retention: 'limits', storage: 'file', discard: 'old', num_replicas: 1, max_age: 0 } as const
    this.#config = { ...common, duplicate_window: DUPLICATE_WINDOW, subjects: [], metadata: {}, ...config }
    this.#subjects = (this.#config.subjects ?? []).map(tokensOf)
  }

  /** Whether it was created with this configuration. */
  isMadeWith(config: StreamConfig): boolean {
    return isDeepStrictEqual(new Stream(config).#config, this.#config)
  }

  takes(subject: Tokens): boolean {
    return this.#subjects.some(pattern => covers(pattern, subject))
  }

  overlaps({ subjects = [] }: StreamConfig): boolean {
    const theirs = subjects.map(tokensOf)
    return theirs.some(one => this.#subjects.some(other => meet(one, other)))
  }

  /** Stores a message, unless it has come before. */
  store({ subject, headers, data }: Packet): { readonly seq: number; readonly duplicate?: true } {
    const time = Date.now()
    this.#forget(time)
    const id = headers.length > 0 ? MsgHdrsImpl.decode(headers).get('Nats-Msg-Id') : ''
    const known = id && this.#ids.get(id)
    if (known) return { seq: known.sequence, duplicate: true }
    this.#last += 1
    const sequence = this.#last
    if (id) this.#ids.set(id, { sequence, time })
    const message = { subject, headers, data, sequence, time }
    this.#messages.set(sequence, message)
    for (const reader of this.readers) reader.stored(message)
    return { seq: sequence }
  }

  get(sequence: number): Stored | undefined {
    return this.#messages.get(sequence)
  }

  all(): Iterable<Stored> {
    this.#forget(Date.now())
    return this.#messages.values()
  }

  find(query: MessageQuery): Stored {
    this.#forget(Date.now())
    const found = this.#find(query)
    if (!found) throw noMessage()
    return found
  }

  delete(sequence: number): boolean {
    const message = this.#messages.get(sequence)
    if (!message) return false
    this.#messages.delete(sequence)
    for (const reader of this.readers) reader.removed(message)
    return true
  }

  info(): StreamInfo {
    const [first, ...others] = [...this.all()]
    const last = others.at(-1) ?? first
    const timeOf = (message?: Stored) => (message ? new Date(message.time).toISOString() : NEVER)
    const sizes = [...this.#messages.values()].map(
      ({ subject, headers, data }) => subject.length + headers.length + data.length,
    )
    return {
      config: this.#config,
      created: this.created,
      state: {
        messages: this.#messages.size,
        bytes: sizes.reduce((sum, size) => sum + size, 0),
        first_seq: first?.sequence ?? (this.#last && this.#last + 1),
        first_ts: timeOf(first),
        last_seq: this.#last,
        last_ts: timeOf(last),
        consumer_count: this.readers.size,
      },
    }
  }

  #find(query: MessageQuery): Stored | undefined {
    if ('last_by_subj' in query) {
      const pattern = tokensOf(query.last_by_subj)
      return [...this.#messages.values()].findLast(({ subject }) => covers(pattern, tokensOf(subject)))
    }
    const { seq, next_by_subj: next } = query
    if (next === undefined) return this.#messages.get(seq)
    const pattern = tokensOf(next)
    for (const message of this.#messages.values())
      if (message.sequence >= seq && covers(pattern, tokensOf(message.subject))) return message
    return undefined
  }

  /** Old messages, and old ids. */
  #forget(now: number): void {
    const { max_age: age = 0, duplicate_window: window = DUPLICATE_WINDOW } = this.#config
    for (const [id, { time }] of this.#ids) {
      if (now - time <= window / 1e6) break
      this.#ids.delete(id)
    }
    if (age === 0) return
    for (const { sequence, time } of this.#messages.values()) {
      if (now - time <= age / 1e6) break
      this.delete(sequence)
    }
  }
}

/** Whether a subject can match both patterns. */
function meet(one: Tokens, other: Tokens): boolean {
  for (const [index, token] of one.entries()) {
    const theirs = other[index]
    if (theirs === undefined) return false
    if (token === '>' || theirs === '>') return true
    if (token !== theirs && token !== '*' && theirs !== '*') return false
  }
  return one.length === other.length
}
