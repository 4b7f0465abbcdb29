import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../call/index.ts'
import {
  deadStream,
  deadSubject,
  eventStream,
  eventsOf,
  eventTypesOf,
  type NatsAccess,
  typeOfEvent,
} from '../contract/index.ts'
import { UnusableError } from '../errors/index.ts'
import { covers, type NatsLink, NOT_PERMITTED, tokensOf } from '../nats/index.ts'
import { JetStream, JetStreamError, type StreamConfig, type StreamInfo } from './jetstream/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const KEEP_DAYS = 30
const DUPLICATE_WINDOW_MS = 2 * 60 * 1000
const OWNER = 'tsmicro.service'

/** Of JetStream's errors: the stream exists, and a subject belongs to another stream. */
const NAME_IN_USE = 10058
const SUBJECTS_OVERLAP = 10065

/** Instances of several versions may change a stream at the same time, and the server keeps what came last: each looks again. */
const MOST_CHANGES = 20
const LOOK_AGAIN_MS = 100

/** The streams that a service owns: one for the events of each type, and one for those that its handlers could not handle. */
export function streamsOf(access: NatsAccess): readonly StreamConfig[] {
  const { service, serves, keepEventsMs = KEEP_DAYS * DAY_MS } = access
  const { published, handled } = eventTypesOf(access)
  const subjects = [...new Set(serves.flatMap(eventsOf).map(({ subject }) => subject))].sort()
  const common = { storage: 'file', retention: 'limits', discard: 'old', metadata: { [OWNER]: service } } as const
  const duplicates = { duplicate_window: DUPLICATE_WINDOW_MS * 1e6 }
  const events = published.map(type => ({
    ...{ name: eventStream(type), subjects: subjects.filter(subject => typeOfEvent(subject) === type) },
    ...{ ...common, ...duplicates, max_age: keepEventsMs * 1e6 },
  }))
  // Somebody has to decide about them, so they do not go away by themselves.
  const dead = {
    name: deadStream(service),
    subjects: [`${deadSubject(service)}.>`],
    ...common,
    ...duplicates,
    max_age: 0,
  }
  return handled.length > 0 ? [...events, dead] : events
}

/**
 * Creates the streams of a service's events. To those that exist, it adds the subjects that are missing, and changes nothing else: another
 * version of the service may be running. A service does it itself when it starts, unless its user has no more than the permissions of
 * `natsPermissionsOf`; then somebody else has to do it before, who may publish to `$JS.API.STREAM.INFO.*`, `….CREATE.*` and `….UPDATE.*`.
 *
 * @example
 * const module: Module = { nats: new NatsClient({ url, name: 'auth' }), publishes: [userEvents] }
 * const { streams } = createService({ name: 'auth', version: '1.0.0', module, log })
 * await createStreams(nats, streams, log)
 * @throws {UnusableError} if the server has no JetStream, or a stream belongs to another service
 * @throws {SERVICE_UNAVAILABLE} while NATS is down
 */
export async function createStreams(nats: NatsLink, streams: readonly StreamConfig[], log: Log): Promise<void> {
  for (const stream of streams) report(await createStream(nats, stream, log), stream, log)
}

/** {@link createStreams} for one, which is not compared with what is declared. */
export async function createStream(nats: NatsLink, wanted: StreamConfig, log: Log): Promise<StreamInfo> {
  try {
    return await grow(new JetStream(nats), wanted, log)
  } catch (cause) {
    throw explained(cause, wanted, nats.user)
  }
}

async function grow(jetStream: JetStream, wanted: StreamConfig, log: Log): Promise<StreamInfo> {
  for (let changes = 0; changes < MOST_CHANGES; changes++) {
    if (changes > 0) await sleep(LOOK_AGAIN_MS)
    const info = await jetStream.stream(wanted.name)
    const config = info ? grown(info, wanted) : wanted
    if (info && !config) return info
    try {
      if (config) await (info ? jetStream.updateStream(config) : jetStream.createStream(config))
      log.info(
        { stream: wanted.name, subjects: wanted.subjects },
        `stream ${wanted.name} ${info ? 'has new subjects' : 'is new'}`,
      )
    } catch (err) {
      // Another instance was quicker.
      if (!(err instanceof JetStreamError && err.errCode === NAME_IN_USE)) throw err
    }
  }
  throw new UnusableError(
    `stream ${wanted.name} is changed all the time by others: stop the other versions of its service`,
  )
}

/** The configuration of a stream with the subjects that it lacks; undefined if it lacks none. @throws {UnusableError} for another's stream */
function grown({ config }: StreamInfo, wanted: StreamConfig): StreamConfig | undefined {
  const { subjects = [], metadata = {} } = config
  const owner = wanted.metadata?.[OWNER]
  const other = metadata[OWNER] ?? owner
  if (other !== owner) {
    throw new UnusableError(
      `stream ${config.name} belongs to service "${other}": all events with the same first word belong to one service, so call those of "${owner}" something else`,
    )
  }
  const missing = (wanted.subjects ?? []).filter(
    subject => !subjects.some(each => covers(tokensOf(each), tokensOf(subject))),
  )
  if (missing.length === 0 && metadata[OWNER] === owner) return undefined
  return { ...config, subjects: [...subjects, ...missing], metadata: { ...metadata, ...wanted.metadata } }
}

const COMPARED = ['storage', 'retention', 'discard', 'max_age', 'duplicate_window'] as const

function report({ config }: StreamInfo, wanted: StreamConfig, log: Log): void {
  const differences = COMPARED.filter(name => config[name] !== wanted[name]).map(
    name => `${name} is ${config[name]} instead of ${wanted[name]}`,
  )
  if (differences.length > 0)
    log.warn(
      { stream: config.name },
      `stream ${config.name} is not as declared, and stays so: ${differences.join(', ')}`,
    )
}

function explained(cause: unknown, { name, subjects = [] }: StreamConfig, user: string): unknown {
  if (cause instanceof NOT_PERMITTED) {
    return new UnusableError(
      `stream ${name} is missing or lacks subjects, and ${user} may not change that: run createStreams as a user who may`,
      { cause },
    )
  }
  if (cause instanceof JetStreamError && cause.errCode === SUBJECTS_OVERLAP)
    return new UnusableError(`another stream has subjects of ${name} (${subjects.join(', ')}): remove them there`, {
      cause,
    })
  return cause instanceof JetStreamError
    ? new UnusableError(`stream ${name} cannot be created: ${cause.message}`, { cause })
    : cause
}
