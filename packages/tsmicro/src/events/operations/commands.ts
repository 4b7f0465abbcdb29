import type { TSchema } from 'typebox'
import { eventStream, eventTypesOf, type NatsAccess } from '../../contract/index.ts'
import { type ApiError, VALIDATION_FAILED } from '../../errors/index.ts'
import type { NatsLink } from '../../nats/index.ts'
import { type Check, compiled } from '../../schema/index.ts'
import type { EventEngine } from '../engine.ts'
import { JetStream } from '../jetstream/index.ts'

/** What waits in an outbox to be sent. */
export interface OutboxDepth {
  readonly effect: 'postgres' | 'mongodb'
  readonly pending: number
  /** Age of the oldest one. */
  readonly oldestMs: number
}

/** Which aggregates are announced: one, or some of all. */
interface AnnounceRequest {
  readonly aggregateId?: string | undefined
  /** What the last answer has said as `next`. Absent = from the beginning. */
  readonly after?: string | undefined
}

interface Announced {
  readonly announced: number
  /** Where to go on; absent if that was all. */
  readonly next?: string | undefined
}

/**
 * Announces current states again, of a part of the aggregates of a type, with `restart` and each in its own transaction. Called again with
 * `next` until there is none.
 */
export type Announce = (request: AnnounceRequest) => Promise<Announced>

export interface OperationsOptions {
  readonly access: NatsAccess
  readonly engine: EventEngine
  readonly outboxes: () => Promise<readonly OutboxDepth[]>
  /** By the first token of the events' subjects. */
  readonly announces: Readonly<Record<string, Announce>>
}

/** A command compiled: what it takes, and what it answers. */
export interface Command {
  readonly check: Check
  /** @param goOn false = enough was done for one request: the rest waits for the next */
  readonly run: (input: never, goOn: () => boolean) => Promise<unknown>
}

/** All letters of an answer fit into a message of 1 MiB. */
const PAGE = 100
/** Plain JSON Schema: making it with TypeBox would load 300 modules into every service (0.1 s of its start). */
const text = { type: 'string' }
const handler = { name: text }
const oneAggregate = { ...handler, type: text, aggregateId: text }

/** What operators can ask a service. Everything can be repeated. */
export function commandsOf(nats: NatsLink, options: OperationsOptions): ReadonlyMap<string, Command> {
  const { access, engine, outboxes, announces } = options
  const js = new JetStream(nats)

  /** @throws {VALIDATION_FAILED} if the service has no handlers of this name */
  function known(name: string): void {
    const names = Object.keys(access.handles ?? {})
    if (!names.includes(name)) throw refused('name', `is unknown: ${access.service} has ${listed(names)}`)
  }

  async function status() {
    const { service } = access
    const { published } = eventTypesOf(access)
    const streams = await Promise.all(published.map(type => streamOf(js, eventStream(type))))
    const types = Object.keys(announces)
    return { service, streams, consumers: await engine.overview(), outboxes: await outboxes(), announces: types }
  }

  const table = {
    status: command<object>({}, status),
    dead: command<{ after?: number }>({ after: { type: 'integer', minimum: 0, optional: true } }, async ({ after }) => {
      const letters = await engine.repairs.dead({}, { after, limit: PAGE })
      return { letters, ...(letters.length === PAGE ? { next: letters.at(-1)?.sequence } : {}) }
    }),
    retry: command<OneAggregate>(oneAggregate, async (which, goOn) => {
      known(which.name)
      const [repaired] = await engine.repairs.retry(which, goOn)
      return { ...repaired, more: repaired !== undefined && repaired.error === undefined && !goOn() }
    }),
    skip: command<OneAggregate & { id: string }>({ ...oneAggregate, id: text }, async (which, goOn) => {
      known(which.name)
      const [repaired] = await engine.repairs.skip(which, goOn)
      return { ...repaired, more: repaired !== undefined && repaired.error === undefined && !goOn() }
    }),
    replay: command<{ name: string; since: string }>(
      { ...handler, since: { ...text, format: 'date-time' } },
      async ({ name, since }) => {
        known(name)
        await engine.repairs.replay({ name }, new Date(since))
        return {}
      },
    ),
    rebuild: command<{ name: string }>(handler, async which => {
      known(which.name)
      await engine.repairs.rebuild(which)
      return {}
    }),
    announce: command<AnnounceRequest & { type: string }>(
      { type: text, aggregateId: { ...text, optional: true }, after: { ...text, optional: true } },
      async ({ type, ...request }) => {
        const announce = Object.hasOwn(announces, type) ? announces[type] : undefined
        if (announce) return announce(request)
        throw refused(
          'type',
          `cannot be announced again: ${access.service} does so for ${listed(Object.keys(announces))}`,
        )
      },
    ),
  }
  return new Map<string, Command>(Object.entries(table))
}

interface OneAggregate {
  readonly name: string
  readonly type: string
  readonly aggregateId: string
}

function command<Input extends object>(
  fields: {
    readonly [K in keyof Input]-?: {
      readonly type: string
      readonly optional?: boolean
      readonly [keyword: string]: unknown
    }
  },
  run: (input: Input, goOn: () => boolean) => Promise<unknown>,
): Command {
  const entries = Object.entries<{ readonly optional?: boolean }>(fields)
  const properties = Object.fromEntries(entries.map(([name, { optional: _, ...schema }]) => [name, schema]))
  const required = entries.flatMap(([name, { optional }]) => (optional ? [] : [name]))
  const schema: TSchema = { type: 'object', properties, required }
  return { check: compiled.incoming(schema, 'refuse'), run: run as Command['run'] }
}

async function streamOf(js: JetStream, name: string) {
  const { state, config } = (await js.stream(name)) ?? {}
  if (!state) return { stream: name, exists: false }
  const { messages, bytes, first_seq, last_seq, first_ts } = state
  const oldest = messages > 0 ? { oldest: first_ts } : {}
  return { stream: name, exists: true, subjects: config?.subjects, messages, bytes, first_seq, last_seq, ...oldest }
}

export function refused(path: string, message: string): ApiError {
  return new VALIDATION_FAILED([{ path, message }])
}

export function listed(names: Iterable<string>): string {
  return [...names].join(', ') || 'none'
}
