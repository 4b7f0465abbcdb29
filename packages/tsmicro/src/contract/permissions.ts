import { kindOfBody } from './body.ts'
import type { Contract } from './contract.ts'
import { eventsOf, proceduresOf } from './contract.ts'
import {
  deadStream,
  deadSubject,
  durableOf,
  eventStream,
  eventsDoor,
  outboxSubject,
  typeOfEvent,
} from './event-subjects.ts'
import {
  batchSubject,
  cacheSubjectOf,
  cancelSubject,
  inboxPrefixOf,
  MOST_BATCHED_CALLS,
  pullSubject,
} from './subject.ts'

/** What a service does on NATS, in terms of contracts. */
export interface NatsAccess {
  /** The name of the service, and of its NATS user. */
  readonly service: string
  /** Contracts that it implements; it publishes their events. */
  readonly serves: readonly Contract[]
  /** Contracts whose procedures it calls. */
  readonly calls?: readonly Contract[]
  /** Contracts whose events reach every instance. */
  readonly consumes?: readonly Contract[]
  /** Contracts with the events of its named handlers, by the handlers' names. */
  readonly handles?: Readonly<Record<string, readonly Contract[]>>
  /** Milliseconds for which the streams keep its events. Default 30 days. */
  readonly keepEventsMs?: number
  /** Milliseconds that its handlers may take unless their procedures say otherwise: as for `createService`. Default 10,000. */
  readonly handlerTimeoutMs?: number
}

/** Subjects that a user may publish and subscribe to. The server refuses all others. */
export interface NatsPermissions {
  readonly user: string
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** Permission to reply: how many replies to each message, and for how many seconds after it arrived. Absent = none. */
  readonly responses?: { readonly max: number; readonly expiresSeconds: number }
}

/** A request to it returns the user's own permissions, so that a service finds missing ones when it starts. */
const USER_INFO = '$SYS.REQ.USER.INFO'
/** Extra time for a reply that is delayed by a busy machine or a queue. */
const ANSWER_MARGIN_SECONDS = 30
const LEAST_ANSWER_SECONDS = 60

const VERBS = ['PING', 'INFO', 'STATS']

/**
 * The least that a service needs: to answer below its own name and for discovery, to receive its own replies, to call and consume what it
 * declares, to publish its own events, and to keep the caches of its replicas consistent. So blog can neither publish `user.created`, nor
 * answer for auth, nor read the replies of others. It may not create streams: in a stream's configuration it could copy all others, take
 * requests to other services, and publish in their names. See `createStreams`.
 *
 * @example
 * natsPermissionsOf({ service: 'blog', serves: [reading], calls: [validation], consumes: [userEvents] })
 */
export function natsPermissionsOf(access: NatsAccess): NatsPermissions {
  const { service, serves, calls = [], consumes = [], handlerTimeoutMs = 10_000 } = access
  const called = calls.flatMap(proceduresOf).flatMap(({ service: other, subject, output }) => {
    if (subject === undefined) return []
    // Streams and files are pulled from the instance that sends them, and never share a message.
    const more = kindOfBody(output) ? pullSubject(subject, '*') : batchSubject(subject)
    return [subject, more, cancelSubject(other)]
  })
  const announced = serves.flatMap(eventsOf).map(({ subject }) => subject)
  const outbox = announced.length > 0 ? [outboxSubject(service)] : []
  const streams = streamPermissions(access)
  const discovery = VERBS.flatMap(verb => [`$SRV.${verb}`, `$SRV.${verb}.${service}`, `$SRV.${verb}.${service}.*`])
  const taken = consumes.flatMap(eventsOf).map(({ subject }) => subject)
  const replicas = `${cacheSubjectOf(service)}.>`
  return {
    user: service,
    publish: unique([...called, ...announced, ...outbox, ...streams, replicas, USER_INFO]),
    subscribe: unique([
      `${service}.>`,
      cancelSubject(service),
      `${inboxPrefixOf(service)}.>`,
      ...discovery,
      ...taken,
      ...outbox,
      ...(streams.length > 0 ? [eventsDoor(service)] : []),
      replicas,
    ]),
    responses: { max: MOST_BATCHED_CALLS, expiresSeconds: answerSeconds(serves, handlerTimeoutMs) },
  }
}

/** The types of the events that a service publishes, and those that each of its named handlers reads. */
export function eventTypesOf({ serves, handles = {} }: NatsAccess) {
  const typesOf = (contracts: readonly Contract[]) =>
    unique(contracts.flatMap(eventsOf).map(({ subject }) => typeOfEvent(subject)))
  const handled = Object.entries(handles).map(([handler, contracts]) => ({ handler, types: typesOf(contracts) }))
  return { published: typesOf(serves), handled }
}

/** What a service may do with its own streams, and with its own consumers of any stream. Acknowledging is publishing, too. */
export function streamPermissions(access: NatsAccess): readonly string[] {
  const { service } = access
  const { published, handled } = eventTypesOf(access)
  const dead = handled.length > 0 ? [deadStream(service)] : []
  const own = [...published.map(eventStream), ...dead]
  return [
    ...own.flatMap(stream => ['INFO', 'MSG.GET', 'MSG.DELETE'].map(verb => `$JS.API.STREAM.${verb}.${stream}`)),
    ...dead.map(() => `${deadSubject(service)}.>`),
    ...handled.flatMap(({ handler, types }) =>
      types.flatMap(type => {
        const stream = eventStream(type)
        const consumer = `${stream}.${durableOf(service, handler)}`
        const verbs = ['CREATE', 'INFO', 'DELETE', 'MSG.NEXT', 'UNPIN'].map(
          verb => `$JS.API.CONSUMER.${verb}.${consumer}`,
        )
        return [`$JS.API.STREAM.INFO.${stream}`, ...verbs, `$JS.ACK.${consumer}.>`]
      }),
    ),
  ]
}

/** A handler may answer until its procedure's time is over, so the permission must last as long. */
function answerSeconds(serves: readonly Contract[], handlerTimeoutMs: number): number {
  const served = serves.flatMap(proceduresOf).filter(({ subject }) => subject !== undefined)
  const longest = Math.max(handlerTimeoutMs, ...served.map(({ timeoutMs = handlerTimeoutMs }) => timeoutMs))
  return Math.max(LEAST_ANSWER_SECONDS, Math.ceil(longest / 1000) + ANSWER_MARGIN_SECONDS)
}

/**
 * The least that a user needs who only consumes events and is not a service: it publishes nothing and receives nothing else. Every instance
 * receives every event.
 *
 * @example
 * natsListenerOf('audit', [userEvents])
 */
export function natsListenerOf(user: string, consumes: readonly Contract[]): NatsPermissions {
  const taken = consumes.flatMap(eventsOf).map(({ subject }) => subject)
  return { user, publish: [], subscribe: unique(taken) }
}

/**
 * The least that an explorer needs: to call the procedures that people may call. It neither announces nor hears events, answers nobody, and may
 * not call `internal` procedures, which trust whoever calls them.
 */
export function natsExplorerOf(user: string, calls: readonly Contract[]): NatsPermissions {
  const open = calls.flatMap(proceduresOf).filter(({ access }) => access !== 'internal')
  const publish = open.flatMap(({ service, subject, output }) => {
    if (subject === undefined) return []
    return [subject, cancelSubject(service), ...(kindOfBody(output) ? [pullSubject(subject, '*')] : [])]
  })
  return { user, publish: unique(publish), subscribe: [`${inboxPrefixOf(user)}.>`] }
}

/** The least that an operator's tools need: to ask the services about their events, and JetStream about streams and consumers. */
export function natsOperatorOf(user: string): NatsPermissions {
  const publish = ['$JS.API.CONSUMER.INFO.*.*', '$JS.API.STREAM.INFO.*', eventsDoor('*')]
  return { user, publish, subscribe: [`${inboxPrefixOf(user)}.>`] }
}

/**
 * The least that a person needs to see which services there are: to ask for their discovery (`nats micro ls`, `info`, `stats`) and receive
 * the answers. No procedure can be called, no event published or read.
 *
 * @param user also the end of the prefix of its inboxes, `_INBOX_<user>`, which its client has to be told
 */
export function natsObserverOf(user: string): NatsPermissions {
  return { user, publish: ['$SRV.>'], subscribe: [`${inboxPrefixOf(user)}.>`] }
}

/** The least that `createStreams` needs. Whoever has it can read and forge everything: see {@link natsPermissionsOf}. */
export function natsStreamsOf(user: string): NatsPermissions {
  const publish = ['INFO', 'CREATE', 'UPDATE'].map(verb => `$JS.API.STREAM.${verb}.*`)
  return { user, publish, subscribe: [`${inboxPrefixOf(user)}.>`] }
}

/**
 * The authorization block of a nats-server's configuration file. A service may reply to each request, once for each call of a batch, for as
 * long as its slowest procedure may take.
 *
 * @param passwordOf returns a user's password, quoted, or `$NAME` to read it from the server's environment
 * @see https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization
 * @example
 * const users: readonly NatsPermissions[] = [natsPermissionsOf({ service: 'auth', serves: [validation] })]
 * const block = natsAuthorization(users, user => `$NATS_PASSWORD_${user.toUpperCase()}`)
 */
export function natsAuthorization(users: readonly NatsPermissions[], passwordOf: (user: string) => string): string {
  const blocks = users.map(({ user, publish, subscribe, responses }) =>
    [
      `    {`,
      `      user: ${JSON.stringify(user)}`,
      `      password: ${passwordOf(user)}`,
      `      permissions: {`,
      `        publish: { allow: ${list(publish)} }`,
      `        subscribe: { allow: ${list(subscribe)} }`,
      ...(responses
        ? [`        allow_responses: { max: ${responses.max}, expires: "${responses.expiresSeconds}s" }`]
        : []),
      `      }`,
      `    }`,
    ].join('\n'),
  )
  return `authorization: {\n  users: [\n${blocks.join('\n')}\n  ]\n}\n`
}

/** The server takes an empty list to mean that everything is allowed. */
function list(subjects: readonly string[]): string {
  const named = subjects.length > 0 ? subjects : ['_NOTHING']
  return `[${named.map(subject => JSON.stringify(subject)).join(', ')}]`
}

function unique(subjects: readonly string[]): readonly string[] {
  return [...new Set(subjects)].sort()
}
