import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../call/index.ts'
import { UnusableError } from '../errors/index.ts'
import type { InboxStore } from '../stores/index.ts'
import type { ConsumerConfig, ConsumerInfo, JetStream } from './jetstream/index.ts'

/** How events are consumed; tests have other times. */
export interface Pace {
  /** Milliseconds that a handler may take. */
  readonly timeoutMs: number
  /** Handlers of a consumer that run at the same time. */
  readonly concurrency: number
  /** Milliseconds that an event waits for those before it. */
  readonly gapMs: number
  /** Milliseconds after the first failure. */
  readonly pauseMs: number
  /** Milliseconds after which another instance gets what a dead one had. */
  readonly ackWaitMs: number
  /** Milliseconds between two looks whether parked aggregates can go on. */
  readonly sweepMs: number
}

export const PACE: Pace = {
  timeoutMs: 10_000,
  concurrency: 16,
  gapMs: 60_000,
  pauseMs: 100,
  ackWaitMs: 30_000,
  sweepMs: 5000,
}

/** Over all instances, together with what was handed back and is not due yet. */
const MOST_UNACKNOWLEDGED = 16_384

/** Of a consumer whose messages go to one instance at a time. */
export const GROUP = 'one'

/** In the consumer's metadata: where its handlers have their effect. */
const EFFECT = 'tsmicro.effect'

interface Wanted {
  readonly durable: string
  /** First token of the subjects. Aggregates are read whole, with what later versions of their source have added. */
  readonly type: string
  readonly ackWaitMs: number
  /** Only what is newer, or from this number in the stream on. */
  readonly since?: Date | number | undefined
  /** Undefined for idempotent effects: then only one instance at a time gets messages. */
  readonly inbox: InboxStore | undefined
}

export function configOf({ durable, type, ackWaitMs, since, inbox }: Wanted): ConsumerConfig {
  return {
    durable_name: durable,
    ack_policy: 'explicit',
    filter_subject: `${type}.>`,
    ack_wait: ackWaitMs * 1e6,
    max_deliver: -1,
    max_ack_pending: MOST_UNACKNOWLEDGED,
    ...startOf(since),
    metadata: { [EFFECT]: inbox?.effect ?? 'idempotent' },
    ...(inbox ? {} : { priority_groups: [GROUP], priority_policy: 'pinned_client', priority_timeout: ackWaitMs * 1e6 }),
  }
}

function startOf(since: Wanted['since']): Pick<ConsumerConfig, 'deliver_policy' | 'opt_start_seq' | 'opt_start_time'> {
  if (since === undefined) return { deliver_policy: 'all' }
  if (typeof since === 'number') return { deliver_policy: 'by_start_sequence', opt_start_seq: since }
  return { deliver_policy: 'by_start_time', opt_start_time: since.toISOString() }
}

/**
 * What is recorded elsewhere is not known here: the next events would wait in vain for those before them.
 * @throws {UnusableError} if another version of the service has its effect elsewhere
 */
export async function verifyEffect(js: JetStream, stream: string, config: ConsumerConfig): Promise<void> {
  const found = await js.consumer(stream, config.durable_name)
  if (found) assertEffect(found, config)
}

function assertEffect(found: ConsumerInfo, wanted: ConsumerConfig): void {
  const { metadata = {}, priority_groups: groups } = found.config
  const before = metadata[EFFECT] ?? (groups ? 'idempotent' : undefined)
  const now = wanted.metadata?.[EFFECT]
  if (before === undefined || before === now) return
  const name = found.name.slice(found.name.indexOf('_') + 1)
  throw new UnusableError(
    `the handlers "${name}" of ${wanted.filter_subject} have had their effect in ${before}, and how far they have come is not known in ${now}: ` +
      'change it back, or give them another name, which gets all stored events',
  )
}

/** Another version of the service may have made the consumer. Where it begins stays as it is. */
export async function adaptConsumer(
  js: JetStream,
  found: ConsumerInfo,
  config: ConsumerConfig,
  log: Log,
): Promise<ConsumerInfo> {
  assertEffect(found, config)
  const metadata = { ...found.config.metadata, ...config.metadata }
  const wanted: ConsumerConfig = { ...found.config, ...config, metadata, deliver_policy: found.config.deliver_policy }
  const changed = Object.entries(wanted).filter(
    ([key, value]) => !isDeepStrictEqual(value, Reflect.get(found.config, key)),
  )
  if (changed.length === 0) return found
  try {
    return await js.createConsumer(found.stream_name, wanted)
  } catch (err) {
    const settings = changed.map(([key]) => key)
    log.warn({ err, consumer: found.name, settings }, 'a consumer has settings that cannot be changed: it keeps them')
    return found
  }
}

const MOST_TRIES = 10

/** Makes a consumer again that begins where the configuration says. */
export async function remakeConsumer(js: JetStream, stream: string, config: ConsumerConfig): Promise<ConsumerInfo> {
  for (let attempt = 1; ; attempt++) {
    await js.deleteConsumer(stream, config.durable_name)
    try {
      return await js.createConsumer(stream, config)
    } catch (error) {
      // Another instance has noticed before us, and made one that begins elsewhere.
      if (attempt === MOST_TRIES) throw error
    }
  }
}
