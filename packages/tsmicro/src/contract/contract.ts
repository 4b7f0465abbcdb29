import { checkMembers } from '#refusals'
import type { EventDefinition } from './event.ts'
import type { Procedure } from './procedure.ts'
import type { ProcedureSpec } from './spec.ts'

/**
 * A procedure of a contract, with its name and its full subject.
 *
 * @example
 * const { service, name, subject }: BoundProcedure = validation.validateToken
 * `${service} ${name} ${subject}` // 'auth validateToken auth.validate.token'
 */
export type BoundProcedure<S extends ProcedureSpec = ProcedureSpec> = Procedure<S> & {
  readonly service: string
  /** Its key in the contract. */
  readonly name: string
  /** Full NATS subject; undefined without a NATS door. */
  readonly subject: S extends { readonly nats: string } ? string : string | undefined
}

/** What {@link contract} takes: procedures and events by name. */
export type ContractMembers = Readonly<Record<string, Procedure | EventDefinition>>

/**
 * A contract: its procedures, with their service, name and subject, and its events.
 *
 * @example
 * const contracts: readonly Contract[] = [validation, reading]
 */
export type Contract<Members extends ContractMembers = ContractMembers> = {
  readonly [K in keyof Members]: Members[K] extends Procedure<infer S> ? BoundProcedure<S> : Members[K]
}

/**
 * What a service offers, as data: procedures and events. No behaviour, no I/O; the only thing that one service may import from another. A
 * service may have several contracts.
 *
 * @example
 * const validation = contract('auth', { validateToken: procedure({ nats: 'validate.token', access: 'internal' }) })
 * validation.validateToken.subject // 'auth.validate.token'
 * @throws {TypeError} when the service's name is not a single subject token, two members share a subject, or one is called like a
 * function that JavaScript calls by itself, such as `then`
 */
export function contract<const Members extends ContractMembers>(service: string, members: Members): Contract<Members> {
  checkMembers(service, members)
  const bound = Object.entries(members).map(([name, member]) => [
    name,
    member.kind === 'event' ? member : bind(service, name, member),
  ])
  return Object.freeze(Object.fromEntries(bound)) as Contract<Members>
}

function bind(service: string, name: string, member: Procedure): BoundProcedure {
  const subject = member.nats === undefined ? undefined : `${service}.${member.nats}`
  return Object.freeze({ ...member, service, name, subject })
}

/** The procedures of a contract, in the order in which they were declared. */
export function proceduresOf(contract: Contract): readonly BoundProcedure[] {
  return Object.values(contract).filter((member): member is BoundProcedure => member.kind === 'procedure')
}

/** The procedures of a contract by their keys in it; these may differ from their names, as in `{ check: validation.validateRole }`. */
export function entriesOf(contract: Contract): readonly (readonly [string, BoundProcedure])[] {
  return Object.entries(contract).filter((entry): entry is [string, BoundProcedure] => entry[1].kind === 'procedure')
}

/** The events of a contract, in the order in which they were declared. */
export function eventsOf(contract: Contract): readonly EventDefinition[] {
  return Object.values(contract).filter((member): member is EventDefinition => member.kind === 'event')
}

/** The contracts among the exports of a module. */
export function contractsIn(exported: object): readonly Contract[] {
  return Object.values(exported).filter(isContract)
}

function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  const members: unknown[] = Object.values(value)
  const isMember = (member: unknown) =>
    typeof member === 'object' && member !== null && 'kind' in member && 'subject' in member
  return members.length > 0 && members.every(isMember)
}
