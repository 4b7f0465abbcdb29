import type { Msg } from '@nats-io/nats-core'
import type { Transport, TransportSubscription } from '../../nats/index.ts'
import { JetStreamMessage } from './message.ts'

export interface PullOptions {
  /** Messages at most. */
  readonly batch: number
  /** Bytes at most, with headers and subject; a larger message ends the pull with `too large`. Default: unlimited. */
  readonly maxBytes?: number
  /** How long to wait for messages. */
  readonly expiresMs: number
  readonly take: (message: JetStreamMessage) => void
  /** Ends the pull early; what the server has sent by then is still taken. */
  readonly signal?: AbortSignal | undefined
  /** Of a consumer with `priority_groups`. */
  readonly group?: string
  /** The pin that an earlier pull was given. */
  readonly pinId?: string | undefined
}

/**
 * Why a pull is over. `done`: it has delivered what it was asked for. `expired`: its time is over. `lost`: the connection is, or the server
 * sends no signs of life. `busy`: too many pulls wait. `refused`: see the text.
 */
export type PullEnd =
  | 'done'
  | 'expired'
  | 'aborted'
  | 'lost'
  | 'consumer gone'
  | 'stream gone'
  | 'wrong pin'
  | 'too large'
  | 'busy'
  | 'refused'

export interface PullOutcome {
  readonly end: PullEnd
  readonly received: number
  /** Of a consumer with `priority_groups`: names this client in its next pulls, as long as it is pinned. */
  readonly pinId: string | undefined
  /** The server's words, if there are any. */
  readonly text?: string | undefined
}

/** Half of them missed mean that the server is gone. */
const LONGEST_HEARTBEAT_MS = 5000
const SHORTEST_EXPIRY_MS = 100

/** One pull, from its request to its end. */
export class Pull {
  readonly outcome: Promise<PullOutcome>
  readonly subject: string
  readonly #transport: Transport
  readonly #options: PullOptions
  readonly #subscription: TransportSubscription
  readonly #heartbeatMs: number
  readonly #settle: (outcome: PullOutcome) => void
  readonly #fail: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #heardAt = performance.now()
  #received = 0
  #pinId: string | undefined
  #over = false

  /** @param subject where to send the request @param inbox where the messages arrive */
  constructor(transport: Transport, subject: string, inbox: string, options: PullOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<PullOutcome>()
    this.outcome = promise
    this.subject = subject
    this.#settle = resolve
    this.#fail = reject
    this.#transport = transport
    this.#options = options
    this.#pinId = options.pinId
    const expiresMs = Math.max(SHORTEST_EXPIRY_MS, options.expiresMs)
    // The server takes half of the expiry at most.
    this.#heartbeatMs = Math.min(LONGEST_HEARTBEAT_MS, expiresMs / 2)
    this.#subscription = transport.subscribe(inbox, {
      callback: (error, msg) => {
        try {
          if (error) this.fail(error)
          else this.#receive(msg, inbox)
        } catch (err) {
          // What is thrown here would end the process.
          this.fail(err)
        }
      },
    })
    options.signal?.addEventListener('abort', this.#abort)
    if (options.signal?.aborted) this.end('aborted')
    else this.#request(inbox, expiresMs)
  }

  /** Only the first end counts. */
  end(end: PullEnd, text?: string): void {
    const pinId = end === 'wrong pin' ? undefined : this.#pinId
    if (this.#close()) this.#settle({ end, received: this.#received, pinId, text })
  }

  fail(error: unknown): void {
    if (this.#close()) this.#fail(error)
  }

  #request(inbox: string, expiresMs: number): void {
    const { batch, maxBytes, group, pinId } = this.#options
    const request = {
      batch,
      expires: Math.round(expiresMs * 1e6),
      idle_heartbeat: Math.round(this.#heartbeatMs * 1e6),
      ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
      ...(group === undefined ? {} : { group }),
      ...(pinId === undefined ? {} : { id: pinId }),
    }
    this.#timer = setInterval(() => this.#listen(), this.#heartbeatMs)
    this.#transport.publish(this.subject, JSON.stringify(request), { reply: inbox })
  }

  #close(): boolean {
    if (this.#over) return false
    this.#over = true
    clearInterval(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#abort)
    if (!this.#transport.isClosed()) this.#subscription.unsubscribe()
    return true
  }

  /** What the server has sent by then is still taken. */
  readonly #abort = (): void => {
    const end = () => this.end('aborted')
    if (this.#transport.isClosed()) end()
    else this.#subscription.drain().then(end, end)
  }

  #listen(): void {
    if (performance.now() - this.#heardAt > 2 * this.#heartbeatMs) this.end('lost', 'no signs of life')
  }

  #receive(msg: Msg, inbox: string): void {
    if (this.#over) return
    this.#heardAt = performance.now()
    // Messages keep the subject of their stream; what is sent to the inbox itself is about the pull.
    if (msg.subject === inbox) this.#hear(msg.headers?.code ?? 0, msg.headers?.description ?? '')
    else {
      this.#received += 1
      const message = new JetStreamMessage(this.#transport, msg)
      if (this.#options.group !== undefined) this.#pinId = message.headers['nats-pin-id'] ?? this.#pinId
      this.#options.take(message)
      if (this.#received >= this.#options.batch) this.end('done')
    }
  }

  /** @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-37.md */
  #hear(code: number, text: string): void {
    if (code === 100) return
    if (code === 503) this.end('consumer gone', text)
    else if (code === 404 || code === 408) this.end('expired', text)
    else if (code === 423) this.end('wrong pin', text)
    else if (code === 409) this.end(this.#conflict(text.toLowerCase()), text)
    else this.end('refused', `${code} ${text}`)
  }

  #conflict(text: string): PullEnd {
    if (text.includes('consumer deleted')) return 'consumer gone'
    if (text.includes('exceeds maxbytes')) return this.#received > 0 ? 'done' : 'too large'
    if (text.includes('batch completed')) return 'done'
    if (text.includes('exceeded maxwaiting')) return 'busy'
    if (text.includes('shutdown') || text.includes('leadership')) return 'lost'
    return 'refused'
  }
}
