import type { Contract } from './contract.ts'
import { eventsOf, proceduresOf } from './contract.ts'
import { batchSubject, cacheSubjectOf, cancelSubject, inboxPrefixOf, MOST_BATCHED_CALLS } from './subject.ts'

/** What a service does on NATS, told by contracts. */
export interface NatsAccess {
  /** The service's name, which is its user's, too. */
  readonly service: string
  /** Contracts it implements; it announces their events. */
  readonly serves: readonly Contract[]
  /** Contracts whose procedures it calls. */
  readonly calls?: readonly Contract[]
  /** Contracts whose events it takes. */
  readonly consumes?: readonly Contract[]
  /** Milliseconds that its handlers may take where their procedures say nothing: `createService`'s. Default 10,000. */
  readonly handlerTimeoutMs?: number
}

/** Subjects that a user may publish and subscribe to; everything else is refused by the server. */
export interface NatsPermissions {
  readonly user: string
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** Answers to whoever asks: how many for each message, and for how many seconds after it came. Absent = none. */
  readonly responses?: { readonly max: number; readonly expiresSeconds: number }
}

/** Whom the server tells what he may do: his own permissions, by which a service knows at its start what is missing. */
const USER_INFO = '$SYS.REQ.USER.INFO'
/** An answer may be on its way for longer than its handler had: a busy machine, a queue. */
const ANSWER_MARGIN_SECONDS = 30
const LEAST_ANSWER_SECONDS = 60

const VERBS = ['PING', 'INFO', 'STATS']

/**
 * The least that a service needs: to answer below its own name and for discovery, to hear its own replies, to call and to
 * take what it says it does, to announce its own events, and to keep the caches of its replicas alike. So blog can neither
 * publish `user.created` nor answer for auth, nor read anybody's replies.
 *
 * @example
 * natsPermissionsOf({ service: 'blog', serves: [reading], calls: [validation], consumes: [userEvents] })
 */
export function natsPermissionsOf(access: NatsAccess): NatsPermissions {
  const { service, serves, calls = [], consumes = [], handlerTimeoutMs = 10_000 } = access
  const called = calls
    .flatMap(proceduresOf)
    .flatMap(({ service: other, subject }) =>
      subject === undefined ? [] : [subject, batchSubject(subject), cancelSubject(other)],
    )
  const announced = serves.flatMap(eventsOf).map(({ subject }) => subject)
  const discovery = VERBS.flatMap(verb => [`$SRV.${verb}`, `$SRV.${verb}.${service}`, `$SRV.${verb}.${service}.*`])
  const taken = consumes.flatMap(eventsOf).map(({ subject }) => subject)
  const replicas = `${cacheSubjectOf(service)}.>`
  return {
    user: service,
    publish: unique([...called, ...announced, replicas, USER_INFO]),
    subscribe: unique([
      `${service}.>`,
      cancelSubject(service),
      `${inboxPrefixOf(service)}.>`,
      ...discovery,
      ...taken,
      replicas,
    ]),
    responses: { max: MOST_BATCHED_CALLS, expiresSeconds: answerSeconds(serves, handlerTimeoutMs) },
  }
}

/** An answer comes within its procedure's time: the permission to give it must not end earlier. */
function answerSeconds(serves: readonly Contract[], handlerTimeoutMs: number): number {
  const served = serves.flatMap(proceduresOf).filter(({ subject }) => subject !== undefined)
  const longest = Math.max(handlerTimeoutMs, ...served.map(({ timeoutMs = handlerTimeoutMs }) => timeoutMs))
  return Math.max(LEAST_ANSWER_SECONDS, Math.ceil(longest / 1000) + ANSWER_MARGIN_SECONDS)
}

/**
 * The least that a user needs who only handles events and is not a service: nothing to publish, nothing else to hear. Every
 * instance hears every event.
 *
 * @example
 * natsListenerOf('audit', [userEvents])
 */
export function natsListenerOf(user: string, consumes: readonly Contract[]): NatsPermissions {
  const taken = consumes.flatMap(eventsOf).map(({ subject }) => subject)
  return { user, publish: [], subscribe: unique(taken) }
}

/**
 * The authorization block of a nats-server's configuration file. A service may answer whoever asked, once for each call of a
 * batch, for as long as its slowest procedure may take.
 *
 * @param passwordOf text for a user's password: a quoted one, or `$NAME` to read it from the server's environment
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

/** An empty list would allow everything. */
function list(subjects: readonly string[]): string {
  const named = subjects.length > 0 ? subjects : ['_NOTHING']
  return `[${named.map(subject => JSON.stringify(subject)).join(', ')}]`
}

function unique(subjects: readonly string[]): readonly string[] {
  return [...new Set(subjects)].sort()
}
