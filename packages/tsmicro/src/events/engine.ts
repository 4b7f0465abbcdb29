import type { Log } from '../call/index.ts'
import { durableOf, type EventDefinition, eventStream } from '../contract/index.ts'
import { follow, type NatsLink } from '../nats/index.ts'
import type { InboxStore } from '../stores/index.ts'
import { EventConsumer } from './consumer.ts'
import { configOf, PACE, type Pace, verifyEffect } from './consumer-config.ts'
import { type ConsumerOverview, Durable, type DurableStatus } from './durable.ts'
import type { Reaction } from './handling.ts'
import { JetStream } from './jetstream/index.ts'
import { compileRead, type EventHandler, type TakenEvent } from './received.ts'
import { type Repairs, repairsOf } from './repairs.ts'

export interface EngineOptions {
  /** Name of the consuming service. */
  readonly service: string
  readonly log: Log
  readonly pace?: Partial<Pace>
  /** Whether all that the service depends on works. Default: it does. */
  readonly dependenciesWork?: () => Promise<boolean>
  /** Called for each event and each handler name, as soon as it has arrived. */
  readonly onTaken?: ((taken: TakenEvent) => void) | undefined
}

/** Handlers of one name: one consumer for each type of their events. */
export interface NamedHandler {
  readonly name: string
  readonly event: EventDefinition
  readonly handler: EventHandler
  /** Where the effect is recorded; undefined if it is idempotent. */
  readonly inbox: InboxStore | undefined
  readonly tries: number
}

interface Group {
  readonly name: string
  readonly type: string
  readonly inbox: InboxStore | undefined
  readonly reactions: Map<string, Reaction>
}

/**
 * Consumes a service's events. Each handler name gets every event of its aggregates once, in their order; different aggregates and different
 * names do not wait for each other.
 */
export class EventEngine {
  readonly #options: EngineOptions
  readonly #pace: Pace
  readonly #groups = new Map<string, Group>()
  readonly #events = new Map<string, EventDefinition>()
  readonly #core: EventConsumer
  #durables: readonly Durable[] = []

  constructor(options: EngineOptions) {
    this.#options = options
    this.#pace = { ...PACE, ...options.pace }
    this.#core = new EventConsumer({ ...options, timeoutMs: this.#pace.timeoutMs })
  }

  /** Adds a handler, before {@link start}. */
  add(named: NamedHandler): void {
    const { name, event, handler, inbox, tries } = named
    const type = event.subject.split('.', 1)[0] ?? ''
    const key = `${name} ${type}`
    const group = this.#groups.get(key) ?? { name, type, inbox, reactions: new Map() }
    this.#groups.set(key, group)
    group.reactions.set(event.subject, { read: compileRead(event), handler, tries })
    this.#events.set(event.subject, event)
  }

  /** Adds a handler for every instance, before {@link start}. */
  addEveryInstance(event: EventDefinition, handler: EventHandler): void {
    this.#core.add(undefined, event, handler)
    this.#events.set(event.subject, event)
  }

  /** The events that have a handler. */
  get events(): readonly EventDefinition[] {
    return [...this.#events.values()]
  }

  /** Subjects that the server does not let this instance subscribe to. */
  get refused(): readonly string[] {
    return this.#core.refused
  }

  /** What is known of the consumers, without asking anybody. */
  get status(): readonly DurableStatus[] {
    return this.#durables.map(({ status }) => status)
  }

  /** What the server says about the consumers. */
  overview(): Promise<readonly ConsumerOverview[]> {
    return Promise.all(this.#durables.map(durable => durable.overview()))
  }

  /** What an operator does by hand. */
  get repairs(): Repairs {
    return repairsOf(this.#durables)
  }

  /** Called before {@link start}. @throws {UnusableError} if another version of the service has the effect of a handler elsewhere */
  async verify(nats: NatsLink): Promise<void> {
    const { ackWaitMs } = this.#pace
    const js = new JetStream(nats)
    for (const { name, type, inbox } of this.#groups.values()) {
      const durable = durableOf(this.#options.service, name)
      await verifyEffect(js, eventStream(type), configOf({ durable, type, ackWaitMs, inbox }))
    }
  }

  /** Begins to consume. A stream or consumer that is not there yet is waited for. */
  start(nats: NatsLink): void {
    const { service, onTaken, dependenciesWork = async () => true } = this.#options
    const log = neverThrowing(this.#options.log)
    this.#core.start(nats.use())
    const js = new JetStream(nats)
    const shared = { service, log, onTaken, dependenciesWork, pace: this.#pace }
    this.#durables = [...this.#groups.values()].map(group => new Durable(js, { ...shared, ...group }))
    const lost = () => {
      for (const durable of this.#durables) durable.lost()
    }
    void follow(nats.use(), { disconnect: lost, close: lost })
    for (const durable of this.#durables) durable.start()
  }

  /**
   * Takes nothing more and gives what runs this time to end; the rest is handed back. Afterwards no handler begins, and what still runs can
   * no longer be recorded.
   */
  async stop(ms: number): Promise<void> {
    await Promise.all([this.#core.drain(), ...this.#durables.map(durable => durable.stop(ms))])
  }
}

/** A log that throws must neither end the process nor keep events from being handled. */
function neverThrowing(log: Log): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    try {
      log[level](fields, message)
    } catch {}
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: fields => neverThrowing(log.child(fields)),
  }
}
