import { type Contract, proceduresOf } from '../contract/index.ts'
import { createErrorClass } from '../errors/index.ts'
import { covers, tokensOf } from './subjects.ts'

/** The server does not permit our user to do what we tried. Retrying is useless, and the mistake is in our configuration: 500. */
export const NOT_PERMITTED = createErrorClass<'NOT_PERMITTED', undefined>('NOT_PERMITTED', {
  status: 500,
  message: 'The NATS server does not permit this service to do that',
})

/** A request to it is answered with the user's own permissions; nats-server since 2.10, if the user may publish to it. */
export const USER_INFO = '$SYS.REQ.USER.INFO'

interface Rules {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** What a user may do. Absent rules allow everything. */
export interface OwnPermissions {
  readonly publish?: Rules
  readonly subscribe?: Rules
  readonly responses?: { readonly max: number; readonly expiresMs: number }
}

/** As the server describes them. Times are in nanoseconds. */
interface Described extends Omit<OwnPermissions, 'responses'> {
  readonly responses?: { readonly max: number; readonly ttl: number }
}

/** Reads the server's answer to {@link USER_INFO}; undefined if there are none, or their form is unknown. */
export function readOwnPermissions(text: string): OwnPermissions | undefined {
  try {
    const { data } = JSON.parse(text) as { readonly data?: { readonly permissions?: Described } }
    if (!data) return undefined
    const { publish, subscribe, responses } = data.permissions ?? {}
    return {
      ...(publish ? { publish } : {}),
      ...(subscribe ? { subscribe } : {}),
      ...(responses ? { responses: { max: responses.max, expiresMs: responses.ttl / 1e6 } } : {}),
    }
  } catch {
    return undefined
  }
}

/** Whether rules allow every subject of a pattern. A rule may name a queue after its subject; it is ignored. */
export function allows({ allow, deny }: Rules = {}, subject: string): boolean {
  const tokens = tokensOf(subject)
  const within = (rule: string) => covers(tokensOf(rule.split(' ', 1)[0] ?? ''), tokens)
  return (
    (!allow || allow.length === 0 || allow.some(within)) && !deny?.some(rule => !rule.includes(' ') && within(rule))
  )
}

/** What a service declares that it does through its client: subjects, by the list of its module. */
export interface Scope {
  readonly service: string
  readonly calls: ReadonlySet<string>
  readonly publishes: ReadonlySet<string>
}

const scopes = new WeakMap<object, Scope>()
/** Contracts that a client has been made for. */
const used = new WeakMap<object, Contract[]>()

export function remember(client: object, contract: Contract): void {
  used.set(client, [...(used.get(client) ?? []), contract])
}

/**
 * Limits a client to what its service declares, so that missing lines are found even with a server without permissions.
 * @returns the subjects of contracts that the client already uses although the service does not declare them
 */
export function limitTo(client: object, scope: Scope): readonly string[] {
  scopes.set(client, scope)
  const subjects = (used.get(client) ?? []).flatMap(proceduresOf).map(({ subject = '' }) => subject)
  return [...new Set(subjects)].filter(subject => subject !== '' && !scope.calls.has(subject))
}

/** @throws {NOT_PERMITTED} naming the missing line */
export function assertDeclared(client: object, list: 'calls' | 'publishes', subject = ''): void {
  const scope = scopes.get(client)
  if (!scope || scope[list].has(subject)) return
  const what = `${list === 'calls' ? 'calls' : 'announces'} "${subject}"`
  const message = `service ${scope.service} does not say that it ${what}: add the contract with it to \`${list}\` of its module`
  throw new NOT_PERMITTED(undefined, { message })
}
