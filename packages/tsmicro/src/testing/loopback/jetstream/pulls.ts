import { randomUUID } from 'node:crypto'
import { Empty } from '@nats-io/nats-core'
import type { ConsumerConfig } from '../../../events/index.ts'
import type { Packet } from '../message.ts'

/** The part of the broker that delivers. */
export interface Outlet {
  /** Whether anybody listens there. */
  hears(subject: string): boolean
  /** Delivers a message to who listens at an address; the message keeps its subject. */
  deliver(to: string, packet: Packet): void
}

/** A request for messages, durations in nanoseconds. */
export interface PullRequest {
  readonly batch: number
  readonly expires?: number
  readonly idle_heartbeat?: number
  readonly max_bytes?: number
  readonly group?: string
  /** The pin. */
  readonly id?: string
}

interface Pull {
  readonly reply: string
  messages: number
  bytes: number
  id: string | undefined
  readonly endsAt: number
  readonly heartbeatMs: number
  heartbeatAt: number
}

const encoder = new TextEncoder()

/** The pulls that wait for messages of a consumer, in the order in which they are served, and which client is pinned. */
export class Pulls {
  readonly #outlet: Outlet
  #waiting: Pull[] = []
  #pinId: string | undefined
  #pinnedUntil = Number.POSITIVE_INFINITY

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  get count(): number {
    return this.#waiting.length
  }

  get pinId(): string | undefined {
    return this.#pinId
  }

  /** When {@link tick} has to be called. */
  get nextAt(): number {
    const times = this.#waiting.map(({ endsAt, heartbeatAt }) => Math.min(endsAt, heartbeatAt))
    return Math.min(this.#pinnedUntil, ...times)
  }

  add(reply: string, request: PullRequest, config: ConsumerConfig): void {
    const { batch, expires, idle_heartbeat: heartbeat = 0, max_bytes: bytes = Number.POSITIVE_INFINITY, id } = request
    const [group] = config.priority_groups ?? []
    const refused =
      (group !== request.group && '400 Bad Request - Priority Group missing') ||
      (id !== undefined && id !== this.#pinId && '423 Nats-Pin-Id mismatch')
    if (refused) {
      this.#tell(reply, refused)
      return
    }
    if (id !== undefined) this.#extendPin(config)
    const now = performance.now()
    const heartbeatMs = heartbeat > 0 ? heartbeat / 1e6 : Number.POSITIVE_INFINITY
    const endsAt = now + (expires === undefined ? Number.POSITIVE_INFINITY : expires / 1e6)
    this.#waiting.push({ reply, messages: batch, bytes, id, endsAt, heartbeatMs, heartbeatAt: now + heartbeatMs })
  }

  /** Where the next message goes; undefined if nobody waits who may have it. */
  next(size: number, config: ConsumerConfig): string | undefined {
    for (let looks = this.#waiting.length; looks > 0; looks--) {
      const pull = this.#waiting.shift()
      if (!pull || !this.#outlet.hears(pull.reply)) continue
      if (config.priority_policy && !this.#isPinned(pull, config)) continue
      if (size > pull.bytes) {
        this.#end(pull, '409 Message Size Exceeds MaxBytes')
        continue
      }
      pull.messages -= 1
      pull.bytes -= size
      pull.heartbeatAt = performance.now() + pull.heartbeatMs
      if (pull.messages > 0) this.#waiting.push(pull)
      return pull.reply
    }
    return undefined
  }

  /** Ends what is over, and gives signs of life. */
  tick(): void {
    const now = performance.now()
    if (now >= this.#pinnedUntil) this.unpin()
    for (const pull of this.#waiting) {
      if (now >= pull.endsAt) this.#end(pull, '408 Request Timeout')
      else if (now >= pull.heartbeatAt) {
        this.#tell(pull.reply, '100 Idle Heartbeat')
        pull.heartbeatAt = now + pull.heartbeatMs
      }
    }
    this.#waiting = this.#waiting.filter(({ endsAt }) => now < endsAt)
  }

  /** The consumer is deleted. */
  end(): void {
    for (const pull of this.#waiting.splice(0)) this.#end(pull, '409 Consumer Deleted')
  }

  /** The connections are gone. */
  forget(): void {
    this.#waiting = []
    this.unpin()
  }

  /** Another client may be pinned. */
  unpin(): void {
    this.#pinId = undefined
    this.#pinnedUntil = Number.POSITIVE_INFINITY
  }

  /** Puts those who have to wait at the end. */
  #isPinned(pull: Pull, config: ConsumerConfig): boolean {
    if (pull.id !== undefined && pull.id !== this.#pinId) {
      this.#end(pull, '423 Nats-Pin-Id mismatch')
      return false
    }
    if (this.#pinId === undefined) {
      this.#pinId = randomUUID()
      pull.id = this.#pinId
      this.#extendPin(config)
    }
    if (pull.id === this.#pinId) return true
    this.#waiting.push(pull)
    return false
  }

  #extendPin({ priority_timeout: timeout = 120e9 }: ConsumerConfig): void {
    this.#pinnedUntil = performance.now() + timeout / 1e6
  }

  #end({ reply, messages, bytes }: Pull, status: string): void {
    const left = Number.isFinite(bytes) ? bytes : 0
    this.#tell(reply, `${status}\r\nNats-Pending-Messages: ${messages}\r\nNats-Pending-Bytes: ${left}`)
  }

  #tell(reply: string, status: string): void {
    const headers = encoder.encode(`NATS/1.0 ${status}\r\n\r\n`)
    this.#outlet.deliver(reply, { subject: reply, reply: '', headers, data: Empty })
  }
}
