import type { Log } from '../call/index.ts'
import {
  type Contract,
  cancelSubject,
  type EventDefinition,
  eventsDoor,
  eventsOf,
  kindOfBody,
  type NatsAccess,
  proceduresOf,
  pullSubject,
  streamPermissions,
  typeOfEvent,
} from '../contract/index.ts'
import { type EventEngine, KeptStreams, streamsOf } from '../events/index.ts'
import { allows, limitTo, type NatsClient, type NatsServer, type OwnPermissions, type Scope } from '../nats/index.ts'
import type { Reaction } from './handlers.ts'
import type { Implemented } from './implemented.ts'
import type { Module } from './module.ts'
import type { ServiceOptions } from './options.ts'
import { StartError } from './start-error.ts'

/** In place of a handler's name. */
const EVERY_INSTANCE = ''

/** What a service does on NATS, derived from what it implements, handles, calls and publishes. */
export function natsAccessOf(
  { name: service, module, handlerTimeoutMs = 10_000 }: ServiceOptions,
  implemented: readonly Contract[],
  reactions: readonly Reaction[],
): NatsAccess {
  const { calls = [], publishes = [], keepEventsMs } = module
  const serves = [...implemented, ...publishes.map(contract => eventsAlone(eventsOf(contract)))]
  const byName = Object.entries(Object.groupBy(reactions, ({ name = EVERY_INSTANCE }) => name)).map(
    ([name, each = []]) => [name, [eventsAlone(each.map(({ event }) => event))]] as const,
  )
  const { [EVERY_INSTANCE]: consumes = [], ...handles } = Object.fromEntries(byName)
  const keep = keepEventsMs === undefined ? {} : { keepEventsMs }
  return { service, serves, calls, consumes, handles, handlerTimeoutMs, ...keep }
}

function eventsAlone(events: readonly EventDefinition[]): Contract {
  return Object.fromEntries(events.map(event => [event.subject, event]))
}

/**
 * Limits the module's client to what the module declares, whatever the server permits.
 * @throws {StartError} if there is a client for a contract that is not listed in `calls`
 */
export function limitClient({ service, serves, calls = [] }: NatsAccess, { nats, outboxes = [] }: Module): void {
  if (!nats) return
  const called = calls.flatMap(proceduresOf).map(({ subject = '' }) => subject)
  const announced = serves.flatMap(eventsOf).map(({ subject }) => subject)
  const scope: Scope = { service, calls: new Set(called), publishes: new Set(announced) }
  for (const outbox of outboxes) limitTo(outbox, scope)
  const undeclared = limitTo(nats, scope)
  if (undeclared.length > 0) {
    throw new StartError(
      `service ${service} has a client for ${undeclared.join(', ')}: add its contract to \`calls\` of its module`,
    )
  }
}

/**
 * An event on a request's subject would be taken for a request, and the event's stream would answer requests.
 * @throws {StartError} if a subject has two meanings, or an event has the first word of another service's requests
 */
export function assertApart(
  { service, serves, calls = [], consumes = [], handles = {} }: NatsAccess,
  implemented: Implemented,
): void {
  const announced = serves.flatMap(eventsOf)
  const handled = [...consumes, ...Object.values(handles).flat()].flatMap(eventsOf)
  for (const subject of new Set([...announced, ...handled].map(({ subject }) => subject))) {
    implemented.reserve(subject, `event ${subject}`)
    const called = calls.flatMap(proceduresOf).find(each => each.subject === subject)
    if (called)
      throw new StartError(
        `event ${subject} has the subject of procedure ${called.service}.${called.name}: change one of them`,
      )
  }
  const others = new Set(calls.flatMap(proceduresOf).map(each => each.service))
  others.delete(service)
  for (const { subject } of announced)
    if (others.has(typeOfEvent(subject)))
      throw new StartError(
        `event ${subject} begins like the requests to service ${typeOfEvent(subject)}: begin it with what has changed, such as user.created`,
      )
}

/** What a service has mounted at its NATS door. */
interface NatsParts {
  readonly natsServer: NatsServer
  readonly engine: EventEngine
  readonly natsAccess: NatsAccess
}

/** A permission that the service's user needs, and a hint for when it is missing. */
interface Need {
  readonly operation: 'publish' | 'subscribe'
  readonly subject: string
  readonly hint: string
}

/** Whether the service declares calls to others. */
function needsReplies({ natsAccess }: NatsParts): boolean {
  return subjectsOf(natsAccess.calls ?? []).length > 0
}

/** @throws {StartError} naming the missing permissions, if any */
function assertNoneMissing({ natsAccess: { service } }: NatsParts, user: string, missing: readonly string[]): void {
  if (missing.length === 0) return
  throw new StartError(
    `NATS ${user} may not do what ${service} does: ${missing.join('; ')}. Give the server its new permissions: natsPermissionsOf(service.natsAccess)`,
  )
}

const STREAM_HINT = 'a stream of its events, or of those that it handles'

function missingPermissions(parts: NatsParts, may: OwnPermissions): readonly string[] {
  const needs = needsOf(parts).filter(({ operation, subject }) => !allows(may[operation], subject))
  return [...needs.map(labelOf), ...missingAnswers(parts, may)]
}

function labelOf({ operation, subject, hint }: Need): string {
  return `${operation} "${subject}" (${hint})`
}

function needsOf({ natsServer, natsAccess }: NatsParts): readonly Need[] {
  const { service, calls = [], consumes = [], serves } = natsAccess
  const served = natsServer.endpoints.map(({ procedure: { subject = '' } }) => subject)
  const subscribe = (subject: string, hint: string): Need => ({ operation: 'subscribe', subject, hint })
  const publish = (subject: string, hint: string): Need => ({ operation: 'publish', subject, hint })
  return [
    ...(served.length > 0 ? [...served, cancelSubject(service)] : []).map(subject =>
      subscribe(subject, `served: the user must be that of service "${service}"`),
    ),
    ...consumes.flatMap(eventsOf).map(({ subject }) => subscribe(subject, 'an event that it handles')),
    ...[...subjectsOf(calls), ...pulledOf(calls)].map(subject => publish(subject, 'listed in `calls` of its module')),
    ...serves
      .flatMap(eventsOf)
      .map(({ subject }) => publish(subject, 'an event of what it implements, or listed in `publishes` of its module')),
    ...streamPermissions(natsAccess).map(subject => publish(subject, STREAM_HINT)),
    ...(streamsOf(natsAccess).length > 0
      ? [subscribe(eventsDoor(service), 'where operators ask about its events')]
      : []),
  ]
}

/** Whether requests may be answered, and for as long as the answer may take. */
function missingAnswers(
  { natsServer: { endpoints } }: NatsParts,
  { publish, responses }: OwnPermissions,
): readonly string[] {
  if (endpoints.length === 0 || allows(publish, '_INBOX.any')) return []
  if (!responses) return ['answer requests (allow_responses is missing)']
  return endpoints
    .filter(({ timeoutMs }) => responses.expiresMs > 0 && timeoutMs > responses.expiresMs)
    .map(
      ({ timeoutMs, procedure: { subject } }) =>
        `answer "${subject}" after ${responses.expiresMs / 1000} s, while it may take ${timeoutMs / 1000} s ` +
        '(allow_responses)',
    )
}

/** The NATS door of a started service: the calls and events that it receives. */
export class NatsDoor {
  readonly #nats: NatsClient
  readonly #doors: NatsParts

  constructor(nats: NatsClient, doors: NatsParts) {
    this.#nats = nats
    this.#doors = doors
  }

  /** Called before anything irreversible is done. @throws {StartError} if the server permits less than the service does */
  async verify(): Promise<void> {
    const may = await this.#nats.permissions()
    // A server that does not report permissions refuses later: `open` notices that for all subscriptions.
    if (may) assertNoneMissing(this.#doors, this.#nats.user, missingPermissions(this.#doors, may))
    // By now the server has also answered the very first subscription.
    const { unheardReplies: subject } = this.#nats
    if (subject === undefined || !needsReplies(this.#doors)) return
    const need: Need = { operation: 'subscribe', subject, hint: 'where the answers to its calls arrive' }
    assertNoneMissing(this.#doors, this.#nats.user, [labelOf(need)])
  }

  /** The streams of the service's events, which its handlers have to be able to use; undefined if it has none. */
  streams(log: Log): KeptStreams | undefined {
    const { natsAccess, engine } = this.#doors
    const streams = streamsOf(natsAccess)
    if (streams.length === 0) return undefined
    return new KeptStreams({ nats: this.#nats, streams, verify: () => engine.verify(this.#nats), log })
  }

  /** @throws {StartError} if the server refuses a subscription */
  async open(): Promise<void> {
    const { natsServer, engine } = this.#doors
    const connection = this.#nats.use()
    natsServer.start(connection)
    engine.start(this.#nats)
    // Once the server has answered, it has accepted or refused the subscriptions.
    await this.#nats.check()
    const needs = needsOf(this.#doors)
    const missing = this.#refused().map(subject => {
      const need = needs.find(each => each.operation === 'subscribe' && each.subject === subject)
      return need ? labelOf(need) : `subscribe "${subject}"`
    })
    assertNoneMissing(this.#doors, this.#nats.user, missing)
  }

  /** False if the server has withdrawn a permission, so that some calls, events or answers do not arrive here. */
  get hears(): boolean {
    const withoutReplies = this.#nats.unheardReplies !== undefined && needsReplies(this.#doors)
    return !withoutReplies && this.#refused().length === 0
  }

  #refused(): readonly string[] {
    const { natsServer, engine } = this.#doors
    return [...natsServer.refused, ...engine.refused]
  }
}

/** @throws {StartError} if a module without `nats` needs it, naming what for */
export function assertNats(module: Module, implemented: Iterable<Contract>, reactions: readonly Reaction[]): void {
  if (module.nats) return
  const { calls = [], publishes = [], outboxes = [] } = module
  const needing = [
    ...outboxes.map(() => 'send what is in its outbox'),
    ...subjectsOf([...implemented]).map(subject => `serve ${subject}`),
    ...reactions.map(({ event, name = 'every instance' }) => `handle ${event.subject} (${name})`),
    ...subjectsOf(calls).map(subject => `call ${subject}`),
    ...publishes.flatMap(eventsOf).map(({ subject }) => `publish ${subject}`),
  ]
  if (needing.length > 0)
    throw new StartError(`give the module nats: without it the service cannot ${needing.join(', ')}`)
}

/** Where the streams and files of contracts are pulled. */
function pulledOf(contracts: readonly Contract[]): readonly string[] {
  return contracts
    .flatMap(proceduresOf)
    .flatMap(({ subject, output }) => (subject && kindOfBody(output) ? [pullSubject(subject, '*')] : []))
}

function subjectsOf(contracts: readonly Contract[]): readonly string[] {
  return contracts.flatMap(proceduresOf).flatMap(({ subject }) => (subject === undefined ? [] : [subject]))
}
