import { type BoundProcedure, type Contract, type EventDefinition, proceduresOf } from '../contract/index.ts'
import { NOT_PERMITTED } from './not-permitted.ts'

/** What a service says that it does through its client, by subject. */
export interface Scope {
  readonly service: string
  readonly calls: ReadonlySet<string>
  readonly announces: ReadonlySet<string>
}

const scopes = new WeakMap<object, Scope>()
/** Contracts of which clients were made. */
const used = new WeakMap<object, Contract[]>()

/** Holds a client to what its service says, so that a server without permissions hides no missing line. */
export function limitTo(client: object, scope: Scope): void {
  scopes.set(client, scope)
}

export function remember(client: object, contract: Contract): void {
  const contracts = used.get(client) ?? []
  used.set(client, contracts)
  contracts.push(contract)
}

/** Subjects that a client was made for and that its service does not say it calls. */
export function unsaidOf(client: object, { calls }: Scope): readonly string[] {
  const subjects = (used.get(client) ?? []).flatMap(proceduresOf).map(({ subject }) => subject)
  return [...new Set(subjects)].filter(subject => subject !== undefined && !calls.has(subject)) as string[]
}

/** @throws {NOT_PERMITTED} naming the line that mends it */
export function assertCalls(client: object, { subject = '' }: BoundProcedure): void {
  const scope = scopes.get(client)
  if (!scope || scope.calls.has(subject)) return
  const message = `service ${scope.service} does not say that it calls "${subject}": add the contract with it to \`calls\` of its module`
  throw new NOT_PERMITTED(undefined, { message })
}

/** @throws {NOT_PERMITTED} naming the line that mends it */
export function assertAnnounces(client: object, { subject }: EventDefinition): void {
  const scope = scopes.get(client)
  if (!scope || scope.announces.has(subject)) return
  const message = `service ${scope.service} does not say that it announces "${subject}": add the contract with it to \`publishes\` of its module`
  throw new NOT_PERMITTED(undefined, { message })
}
