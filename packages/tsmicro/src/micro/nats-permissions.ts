import { cancelSubject, type EventDefinition, eventsOf, type NatsAccess, proceduresOf } from '../contract/index.ts'
import { allows, type Endpoint, type OwnPermissions } from '../nats/index.ts'
import { StartError } from './start-error.ts'

/** What a service does at its NATS door. */
export interface NatsUse {
  readonly endpoints: readonly Endpoint[]
  readonly events: readonly EventDefinition[]
  readonly access: NatsAccess
}

/** Something that the service's user must be permitted, and what mends it when he is not. */
interface Need {
  readonly operation: 'publish' | 'subscribe'
  readonly subject: string
  readonly mend: string
}

/** @throws {StartError} when the server permits less than the service does */
export function verifyPermissions(use: NatsUse, user: string, may: OwnPermissions): void {
  refuse(use, user, lackingOf(use, may))
}

/** @param refused what the server did not let the service hear. @throws {StartError} unless that is nothing */
export function verifyHeard(use: NatsUse, user: string, refused: readonly string[]): void {
  const needs = needsOf(use)
  const lacking = refused.map(subject => {
    const need = needs.find(each => each.operation === 'subscribe' && each.subject === subject)
    return need ? tell(need) : `subscribe "${subject}"`
  })
  refuse(use, user, lacking)
}

/** Whether it says that it calls others. */
export function needsReplies({ access }: NatsUse): boolean {
  return (access.calls ?? []).flatMap(proceduresOf).some(({ subject }) => subject !== undefined)
}

/** @param unheard where answers come, when the server does not let it hear them. @throws {StartError} when it needs them */
export function verifyReplies(use: NatsUse, user: string, unheard: string | undefined): void {
  if (unheard === undefined || !needsReplies(use)) return
  refuse(use, user, [tell({ operation: 'subscribe', subject: unheard, mend: 'where the answers to its calls come' })])
}

function refuse({ access: { service } }: NatsUse, user: string, lacking: readonly string[]): void {
  if (lacking.length === 0) return
  const whole = lacking.join('; ')
  throw new StartError(
    `NATS ${user} may not do what ${service} does: ${whole}. Give the server its new permissions: natsPermissionsOf(service.natsAccess)`,
  )
}

function lackingOf(use: NatsUse, may: OwnPermissions): readonly string[] {
  const needs = needsOf(use).filter(({ operation, subject }) => !allows(may[operation], subject))
  return [...needs.map(tell), ...answersOf(use, may)]
}

function tell({ operation, subject, mend }: Need): string {
  return `${operation} "${subject}" (${mend})`
}

function needsOf({ endpoints, events, access }: NatsUse): readonly Need[] {
  const { service, calls = [], serves } = access
  const served = endpoints.map(({ procedure: { subject = '' } }) => subject)
  const hear = (subject: string, mend: string): Need => ({ operation: 'subscribe', subject, mend })
  const say = (subject: string, mend: string): Need => ({ operation: 'publish', subject, mend })
  return [
    ...(served.length > 0 ? [...served, cancelSubject(service)] : []).map(subject =>
      hear(subject, `served: the user must be that of service "${service}"`),
    ),
    ...events.map(({ subject }) => hear(subject, 'an event that it handles')),
    ...calls
      .flatMap(proceduresOf)
      .flatMap(({ subject }) => (subject === undefined ? [] : [say(subject, 'named by `calls` of its module')])),
    ...serves
      .flatMap(eventsOf)
      .map(({ subject }) => say(subject, 'an event of what it implements, or named by `publishes` of its module')),
  ]
}

/** Whether what is asked may be answered, and for as long as the answer may take. */
function answersOf({ endpoints }: NatsUse, { publish, responses }: OwnPermissions): readonly string[] {
  if (endpoints.length === 0 || allows(publish, '_INBOX.any')) return []
  if (!responses) return ['answer whoever asks (allow_responses is missing)']
  return endpoints
    .filter(({ timeoutMs }) => responses.expiresMs > 0 && timeoutMs > responses.expiresMs)
    .map(
      ({ timeoutMs, procedure: { subject } }) =>
        `answer "${subject}" after ${responses.expiresMs / 1000} s, while it may take ${timeoutMs / 1000} s ` +
        '(allow_responses)',
    )
}
