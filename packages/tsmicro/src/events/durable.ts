import { type Log, ThrottledLog } from '../call/index.ts'
import { durableOf, eventStream } from '../contract/index.ts'
import { settledWithin } from '../errors/index.ts'
import type { InboxStore } from '../stores/index.ts'
import { configOf, type Pace, remakeConsumer } from './consumer-config.ts'
import { type DeadCounts, DeadLetters } from './dead-letters.ts'
import { Delivery, type Incarnation } from './delivery.ts'
import { Forgetting } from './forgetting.ts'
import { type Failure, Handling, type Reaction } from './handling.ts'
import { placeOf } from './headers.ts'
import type { ConsumerConfig, JetStream, JetStreamMessage } from './jetstream/index.ts'
import { Lane, type LaneParts } from './lane.ts'
import { MemoryOrder } from './memory-order.ts'
import { Mending } from './mending.ts'
import { StoredOrder } from './order.ts'
import { Pulling } from './pulling.ts'
import type { HandledEvent, TakenEvent } from './received.ts'
import { Room } from './room.ts'
import { Slots } from './slots.ts'
import { Sweep } from './sweep.ts'

export interface DurableOptions {
  readonly service: string
  /** Name of the handlers. */
  readonly name: string
  /** First token of the subjects. */
  readonly type: string
  /** By subject. */
  readonly reactions: ReadonlyMap<string, Reaction>
  /** Undefined for idempotent effects. */
  readonly inbox: InboxStore | undefined
  readonly pace: Pace
  readonly dependenciesWork: () => Promise<boolean>
  readonly log: Log
  readonly onTaken: ((taken: TakenEvent) => void) | undefined
}

/** What a process knows about one of its consumers. */
export interface DurableStatus {
  /** `service.handler` */
  readonly consumer: string
  readonly stream: string
  /** Events that wait in the stream, as of the last delivery. */
  readonly pending: number
  /** Delivered to this process, and not handled yet. */
  readonly inFlight: number
  /** Age of the oldest of them in its stream. */
  readonly lagMs: number
  /** Handlers that have not ended although their time is over: their aggregates wait for them. */
  readonly overdue: number
  /** Since the process started: handled, tries that failed, and kept as dead letters. */
  readonly handled: number
  readonly failed: number
  readonly dead: number
  /** Messages without the headers of an event. */
  readonly foreign: number
}

/** A consumer over all instances, as the server tells. */
export interface ConsumerOverview extends DeadCounts {
  readonly consumer: string
  readonly stream: string
  /** Events that are not handled yet, and those of them that an instance has; undefined while the consumer does not exist. */
  readonly lag: number | undefined
  readonly inFlight: number | undefined
  /** As the instance that was asked knows it. */
  readonly here: DurableStatus
}

const TEND_MS = 500
const UNPIN_MS = 150

/** Consumes the events of one type for one handler name: takes no more than fits, and gives each aggregate its lane. */
export class Durable {
  readonly stream: string
  readonly name: string
  readonly type: string
  /** `service.handler` */
  readonly consumer: string
  readonly letters: DeadLetters
  readonly mending: Mending
  readonly #options: DurableOptions
  readonly #js: JetStream
  readonly #durable: string
  readonly #handling: Handling
  readonly #laneParts: LaneParts
  readonly #pulling: Pulling
  readonly #sweep: Sweep
  readonly #forgetting: Forgetting
  readonly #lanes = new Map<string, Lane>()
  readonly #foreign: ThrottledLog
  readonly #excused: ThrottledLog
  readonly #gaps: ThrottledLog
  readonly #room = new Room()
  readonly #counts = { pending: 0, handled: 0, failed: 0, dead: 0, foreign: 0 }
  #timer: NodeJS.Timeout | undefined
  #extendedAt = performance.now()

  constructor(js: JetStream, options: DurableOptions) {
    const { service, name, type, inbox, reactions, pace, dependenciesWork, log } = options
    this.#options = options
    this.#js = js
    this.stream = eventStream(type)
    this.name = name
    this.type = type
    this.#durable = durableOf(service, name)
    this.consumer = `${service}.${name}`
    const of = { consumer: this.consumer, type }
    const order = inbox ? new StoredOrder(inbox, of) : new MemoryOrder(of)
    const slots = new Slots(pace.concurrency)
    const { timeoutMs } = pace
    const handling = new Handling({ name, reactions, order, inbox, slots, timeoutMs, dependenciesWork, log })
    const letters = new DeadLetters(js, service, name, type)
    const triesOf = (subject: string) => reactions.get(subject)?.tries ?? Number.POSITIVE_INFINITY
    const parts = { order, handling, letters, triesOf }
    this.#handling = handling
    this.letters = letters
    this.mending = new Mending(parts)
    this.#laneParts = {
      ...parts,
      resume: aggregateId => this.mending.resume(aggregateId, false),
      gapMs: pace.gapMs,
      pauseMs: pace.pauseMs,
      log,
      isFull: () => this.#room.isFull,
      onFailure: (delivery, failure) => this.#failed(delivery, failure),
      onGap: (delivery, err) => this.#gaps.warn(this.#fieldsOf(delivery, err)),
    }
    this.#pulling = new Pulling({
      js,
      stream: this.stream,
      config: this.#config(),
      log,
      room: () => this.#room.free,
      take: (message, from) => this.#take(message, from),
      onConsumer: async other => {
        if (other) order.restart()
        await letters.load()
      },
      onPin: ours => {
        order.restart()
        if (!ours) for (const lane of this.#lanes.values()) lane.handBack(1)
      },
      onIdle: () => {
        this.#counts.pending = 0
      },
    })
    this.#sweep = new Sweep({
      ...{ letters, order, mending: this.mending },
      everyMs: pace.sweepMs,
      here: () => this.#pulling.here,
    })
    const info = () => js.consumer(this.stream, this.#durable)
    this.#forgetting = new Forgetting({ ...of, inbox, letters, everyMs: pace.sweepMs, info })
    this.#foreign = new ThrottledLog(log, 'a message lacks the headers of an event, and was passed over')
    this.#gaps = new ThrottledLog(log, 'an event is kept: those before it have not come')
    this.#excused = new ThrottledLog(log, 'an event waits: what its handler needs does not work')
  }

  get status(): DurableStatus {
    const taken = [...this.#lanes.values()].flatMap(({ deliveries }) => deliveries)
    const times = taken.map(({ message }) => Date.parse(message.time))
    const oldest = times.reduce((one, other) => Math.min(one, other), Date.now())
    const { inFlight } = this.#room
    const here = { inFlight, lagMs: Date.now() - oldest, overdue: this.#handling.overdue }
    return { consumer: this.consumer, stream: this.stream, ...this.#counts, ...here }
  }

  async overview(): Promise<ConsumerOverview> {
    const info = await this.#js.consumer(this.stream, this.#durable)
    const lag = info && { lag: info.num_pending + info.num_ack_pending, inFlight: info.num_ack_pending }
    const { consumer, stream, status } = this
    const counts = await this.letters.count()
    return { consumer, stream, lag: lag?.lag, inFlight: lag?.inFlight, ...counts, here: status }
  }

  start(): void {
    this.#timer = setInterval(() => this.#tend(), Math.min(TEND_MS, this.#options.pace.sweepMs))
    this.#pulling.begin()
  }

  /**
   * Takes nothing more, hands back what has not begun, and gives what runs the time to end. After that, whatever still runs can no longer
   * be recorded.
   */
  async stop(ms: number): Promise<void> {
    const idle = this.#handling.stop()
    const pulled = this.#pulling.stop()
    for (const lane of this.#lanes.values()) lane.stop()
    this.#sweep.stop()
    await settledWithin(ms, pulled, idle, ...[...this.#lanes.values()].map(({ ended }) => ended))
    clearInterval(this.#timer)
    this.#handling.end(new Error('the service has stopped'))
    this.#pulling.flush()
    await settledWithin(UNPIN_MS, this.#pulling.unpin())
  }

  /** The connection is lost. */
  lost(): void {
    this.#pulling.lost()
  }

  /** Makes the consumer again, so that it gets all events again, or those since a time and what is not handled yet. */
  async rewind(since?: Date): Promise<void> {
    const handled = since && (await this.#js.consumer(this.stream, this.#durable))?.ack_floor.stream_seq
    const { delivered } = await remakeConsumer(this.#js, this.stream, this.#config(since))
    if (handled !== undefined && handled < delivered.stream_seq)
      await remakeConsumer(this.#js, this.stream, this.#config(handled + 1))
  }

  /** Forgets how far its name has come. */
  async reset(): Promise<void> {
    await this.#js.deleteConsumer(this.stream, this.#durable)
    await this.#options.inbox?.reset(this.consumer)
  }

  #config(since?: Date | number): ConsumerConfig {
    const { type, inbox, pace } = this.#options
    return configOf({ durable: this.#durable, type, ackWaitMs: pace.ackWaitMs, since, inbox })
  }

  #take(message: JetStreamMessage, from: Incarnation): void {
    this.#counts.pending = message.pending
    const place = placeOf(message.headers)
    if (!place) {
      this.#counts.foreign += 1
      this.#foreign.warn({ subject: message.subject, stream: this.stream, sequence: message.sequence })
      message.ack()
      return
    }
    this.#forgetting.note(message, from)
    const delivery = new Delivery(message, place, from, this.#left)
    this.#room.enter(delivery)
    this.#announce(delivery)
    const { aggregateId } = place
    const open = this.#lanes.get(aggregateId)
    const lane = open ?? new Lane(this.#laneParts)
    lane.add(delivery)
    if (!open && lane.start(() => this.#lanes.delete(aggregateId))) this.#lanes.set(aggregateId, lane)
  }

  /** Tells who waits for what becomes of it. */
  #announce(delivery: Delivery): void {
    const { onTaken } = this.#options
    if (!onTaken) return
    const handled = Promise.withResolvers<HandledEvent>()
    delivery.report = handled.resolve
    onTaken({ subject: delivery.subject, handler: this.name, handled: handled.promise })
  }

  readonly #left = (delivery: Delivery, handled: boolean): void => {
    this.#room.leave(delivery, handled)
    if (handled) this.#counts[delivery.error === undefined ? 'handled' : 'dead'] += 1
    this.#pulling.fill()
  }

  #failed(delivery: Delivery, { error, counts, log }: Failure): void {
    const fields = this.#fieldsOf(delivery, error)
    if (counts) {
      this.#counts.failed += 1
      log.error({ ...fields, tries: delivery.tries + 1 }, 'an event could not be handled')
      return
    }
    this.#excused.warn(fields)
    // It stays, and may be handled later.
    delivery.report?.({ id: fields.eventId, error })
    this.#announce(delivery)
  }

  #fieldsOf({ subject, headers }: Delivery, err: unknown) {
    return { err, subject, eventId: headers['ce-id'], handler: this.name }
  }

  #tend(): void {
    this.#room.make(this.#lanes.values())
    this.#extend()
    this.#handling.tend()
    this.#sweep.tend()
    this.#forgetting.tend()
    this.#pulling.keepPin()
  }

  #extend(): void {
    const now = performance.now()
    const extendMs = this.#options.pace.ackWaitMs / 3
    if (now - this.#extendedAt < extendMs) return
    this.#extendedAt = now
    for (const { deliveries } of this.#lanes.values())
      for (const delivery of deliveries) if (now - delivery.takenAt > extendMs) delivery.extend()
  }
}
