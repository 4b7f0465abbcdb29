import { randomUUID } from 'node:crypto'
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { announce, QUEUE_GROUP } from './discovery.ts'
import type { Endpoint } from './endpoint.ts'

/** Who this instance is to those who ask `$SRV.INFO`. */
export interface NatsServerOptions {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly log: Log
}

/** The NATS door of one instance: its endpoints, their subscriptions, and what is being worked on. */
export class NatsServer {
  readonly #options: NatsServerOptions
  readonly #endpoints: Endpoint[] = []
  readonly #working = new Set<Promise<void>>()
  #subscriptions: Subscription[] = []

  constructor(options: NatsServerOptions) {
    this.#options = options
  }

  /** Adds an endpoint; before {@link start}. */
  add(endpoint: Endpoint): void {
    this.#endpoints.push(endpoint)
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /** Subscribes everything. Subscriptions survive reconnects. */
  start(nats: NatsConnection): void {
    const { name, version, description = '' } = this.#options
    const identity = { name, version, description, id: randomUUID().replaceAll('-', ''), started: new Date() }
    const served = this.#endpoints.map(endpoint =>
      nats.subscribe(endpoint.procedure.subject ?? '', {
        queue: QUEUE_GROUP,
        callback: (error, msg) => this.#receive(endpoint, error, msg),
      }),
    )
    this.#subscriptions = [...served, ...announce(nats, identity, this.#endpoints)]
  }

  /** Takes no more messages, then waits for those already taken to be answered. */
  async drain(): Promise<void> {
    const subscriptions = this.#subscriptions
    this.#subscriptions = []
    await Promise.allSettled(subscriptions.map(subscription => subscription.drain()))
    await Promise.allSettled(this.#working)
  }

  #receive(endpoint: Endpoint, error: Error | null, msg: Msg): void {
    if (error) {
      this.#options.log.error({ err: error, subject: endpoint.procedure.subject }, 'subscription failed')
      return
    }
    const work = endpoint.handle(msg).finally(() => this.#working.delete(work))
    this.#working.add(work)
  }
}
