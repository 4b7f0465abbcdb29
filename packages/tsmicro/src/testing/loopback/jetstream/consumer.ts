import type { ConsumerConfig, ConsumerInfo } from '../../../events/index.ts'
import { covers, type Tokens, tokensOf } from '../../../nats/index.ts'
import { type Outlet, type PullRequest, Pulls } from './pulls.ts'
import { cannotUpdate, timeOfCreation } from './refusal.ts'
import type { Reader, Stored, Stream } from './stream.ts'

interface ConsumerParts extends Outlet {
  readonly stream: Stream
  /** Does something in a turn of the broker, unless that is down by then. */
  readonly later: (work: () => void) => void
}

/** Delivered, and not acknowledged yet. */
interface Pending {
  deliveries: number
  /** When it is delivered again. */
  dueAt: number
}

const DEFAULTS = { ack_wait: 30e9, max_deliver: -1, max_ack_pending: 1000, max_waiting: 512 }
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A durable pull consumer. */
export class Consumer implements Reader {
  readonly #parts: ConsumerParts
  readonly #pulls: Pulls
  readonly #created = timeOfCreation()
  readonly #pending = new Map<number, Pending>()
  /** Those of them that are due again. */
  readonly #due = new Set<number>()
  #config: ConsumerConfig
  #filters: readonly Tokens[]
  #cursor = 1
  #left = 0
  #delivered = { consumer_seq: 0, stream_seq: 0 }
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY

  constructor(parts: ConsumerParts, config: ConsumerConfig) {
    this.#parts = parts
    this.#pulls = new Pulls(parts)
    this.#config = { ...DEFAULTS, ...config }
    this.#filters = filtersOf(config)
    const { deliver_policy: policy, opt_start_seq: seq = 1, opt_start_time: time } = config
    const since = time === undefined ? 0 : Date.parse(time)
    if (policy === 'by_start_sequence') this.#cursor = seq
    else if (policy === 'by_start_time') {
      const [first] = [...parts.stream.all()].filter(message => message.time >= since)
      this.#cursor = first?.sequence ?? parts.stream.last + 1
    }
    this.#delivered.stream_seq = this.#cursor - 1
    this.#count()
    parts.stream.readers.add(this)
  }

  /** @throws {Refusal} for what cannot be changed */
  update(config: ConsumerConfig): void {
    for (const [key, what] of [
      ['deliver_policy', 'deliver policy'],
      ['opt_start_seq', 'start sequence'],
      ['opt_start_time', 'start time'],
    ] as const)
      if (config[key] !== this.#config[key]) throw cannotUpdate(what)
    this.#config = { ...DEFAULTS, ...config }
    this.#filters = filtersOf(config)
    this.#count()
    this.#pump()
  }

  pull(reply: string, request: PullRequest): void {
    this.#pulls.add(reply, request, this.#config)
    this.#pump()
  }

  unpin(): void {
    this.#pulls.unpin()
    this.#pump()
  }

  /** What a client says about a message that it was sent: `+ACK`, `-NAK {"delay":…}`, `+WPI`, `+TERM`. */
  answered(sequence: number, text: string): void {
    const pending = this.#pending.get(sequence)
    if (!pending) return
    const now = performance.now()
    if (text === '+WPI') pending.dueAt = now + this.#ackWaitMs
    else if (text.startsWith('-NAK')) {
      const { delay = 0 } = JSON.parse(text.slice('-NAK'.length) || '{}')
      if (delay > 0) pending.dueAt = now + delay / 1e6
      else this.#due.add(sequence)
    } else this.#done(sequence)
    this.#pump()
  }

  stored(message: Stored): void {
    if (!this.#wants(message)) return
    this.#left += 1
    // Its publisher is answered first.
    this.#parts.later(() => this.#pump())
  }

  removed(message: Stored): void {
    this.#done(message.sequence)
    if (message.sequence >= this.#cursor && this.#wants(message)) this.#left -= 1
  }

  info(): ConsumerInfo {
    const { priority_groups: groups } = this.#config
    const { pinId } = this.#pulls
    const { consumer_seq: count, stream_seq: last } = this.#delivered
    const floor = Math.min(last, ...[...this.#pending.keys()].map(sequence => sequence - 1))
    const pinned = groups?.map(group => ({ group, ...(pinId ? { pinned_client_id: pinId } : {}) }))
    return {
      stream_name: this.#parts.stream.config.name,
      name: this.#config.durable_name,
      created: this.#created,
      config: this.#config,
      delivered: this.#delivered,
      ack_floor: { consumer_seq: count - this.#pending.size, stream_seq: floor },
      num_ack_pending: this.#pending.size,
      num_redelivered: [...this.#pending.values()].filter(({ deliveries }) => deliveries > 1).length,
      num_waiting: this.#pulls.count,
      num_pending: this.#left,
      ...(pinned ? { priority_groups: pinned } : {}),
    }
  }

  /** It is deleted. */
  end(): void {
    this.#parts.stream.readers.delete(this)
    this.#pulls.end()
    clearTimeout(this.#timer)
  }

  /** All connections are lost. */
  lost(): void {
    this.#pulls.forget()
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
  }

  /** Looks what is over, and what is due again. */
  tick(): void {
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#pulls.tick()
    const now = performance.now()
    for (const [sequence, { dueAt }] of this.#pending) if (dueAt <= now) this.#due.add(sequence)
    this.#pump()
    // What is due already waits for a pull, not for the time.
    const later = [...this.#pending].filter(([sequence]) => !this.#due.has(sequence))
    this.#wakeAt(Math.min(...later.map(([, { dueAt }]) => dueAt)))
  }

  get #ackWaitMs(): number {
    return (this.#config.ack_wait ?? DEFAULTS.ack_wait) / 1e6
  }

  #pump(): void {
    for (let message = this.#next(); message; message = this.#next()) {
      const { sequence } = message
      const deliveries = (this.#pending.get(sequence)?.deliveries ?? 0) + 1
      const count = this.#delivered.consumer_seq + 1
      const left = deliveries > 1 ? this.#left : this.#left - 1
      const name = `${this.#parts.stream.config.name}.${this.#config.durable_name}`
      const reply = `$JS.ACK.${name}.${deliveries}.${sequence}.${count}.${message.time}000000.${left}`
      const { subject, headers, data } = message
      const to = this.#pulls.next(subject.length + reply.length + headers.length + data.length, this.#config)
      if (to === undefined) break
      this.#left = left
      if (deliveries === 1) this.#cursor = sequence + 1
      this.#due.delete(sequence)
      const dueAt = performance.now() + this.#ackWaitMs
      this.#pending.set(sequence, { deliveries, dueAt })
      this.#delivered = { consumer_seq: count, stream_seq: Math.max(this.#delivered.stream_seq, sequence) }
      this.#wakeAt(dueAt)
      this.#parts.deliver(to, { subject, reply, headers: withPin(headers, this.#pulls.pinId), data })
    }
    this.#wakeAt(this.#pulls.nextAt)
  }

  /** What is due again comes first. */
  #next(): Stored | undefined {
    const { stream } = this.#parts
    for (const sequence of this.#due) {
      const message = stream.get(sequence)
      if (message) return message
    }
    if (this.#pending.size >= (this.#config.max_ack_pending ?? DEFAULTS.max_ack_pending)) return undefined
    for (; this.#cursor <= stream.last; this.#cursor++) {
      const message = stream.get(this.#cursor)
      if (message && this.#wants(message)) return message
    }
    return undefined
  }

  #done(sequence: number): void {
    this.#pending.delete(sequence)
    this.#due.delete(sequence)
  }

  #wants({ subject }: Stored): boolean {
    const tokens = tokensOf(subject)
    return this.#filters.length === 0 || this.#filters.some(pattern => covers(pattern, tokens))
  }

  #count(): void {
    const after = [...this.#parts.stream.all()].filter(({ sequence }) => sequence >= this.#cursor)
    this.#left = after.filter(message => this.#wants(message)).length
  }

  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return
    this.#timerAt = at
    clearTimeout(this.#timer)
    const ms = Math.min(Math.max(0, at - performance.now()), LONGEST_TIMER_MS)
    this.#timer = setTimeout(() => this.#parts.later(() => this.tick()), ms)
    this.#timer.unref()
  }
}

const LONGEST_TIMER_MS = 1e9

function filtersOf({ filter_subject: one, filter_subjects: several = [] }: ConsumerConfig): readonly Tokens[] {
  return (one === undefined ? several : [one]).map(tokensOf)
}

function withPin(headers: Uint8Array, pinId: string | undefined): Uint8Array {
  if (pinId === undefined) return headers
  const [first = 'NATS/1.0', ...lines] = decoder.decode(headers).trimEnd().split('\r\n')
  return encoder.encode([first || 'NATS/1.0', ...lines, `Nats-Pin-Id: ${pinId}`, '', ''].join('\r\n'))
}
