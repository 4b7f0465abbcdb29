import { type Contract, type EventDefinition, eventsOf, type NatsAccess, proceduresOf } from '../contract/index.ts'
import { limitTo, type Scope, undeclaredOf } from '../nats/index.ts'
import type { Module } from './module.ts'
import { StartError } from './start-error.ts'

export interface NatsAccessParts {
  readonly service: string
  readonly module: Module
  /** Contracts that are implemented. */
  readonly contracts: readonly Contract[]
  /** Events that are handled. */
  readonly events: readonly EventDefinition[]
  readonly handlerTimeoutMs: number
}

/** What a service does on NATS, as told by what it implements, handles, calls and publishes. */
export function natsAccessOf({ service, module, contracts, events, handlerTimeoutMs }: NatsAccessParts): NatsAccess {
  const { calls = [], publishes = [] } = module
  return {
    service,
    serves: [...contracts, ...publishes.map(contract => eventsAlone(eventsOf(contract)))],
    calls,
    consumes: [eventsAlone(events)],
    handlerTimeoutMs,
  }
}

function eventsAlone(events: readonly EventDefinition[]): Contract {
  return Object.fromEntries(events.map(event => [event.subject, event]))
}

/**
 * Holds the module's client to what the module says, whatever the server permits.
 * @throws {StartError} when there are clients of contracts that it does not say it calls
 */
export function holdTo({ service, serves, calls = [] }: NatsAccess, { nats }: Module): void {
  if (!nats) return
  const called = calls.flatMap(proceduresOf).map(({ subject = '' }) => subject)
  const announced = serves.flatMap(eventsOf).map(({ subject }) => subject)
  const scope: Scope = { service, calls: new Set(called), publishes: new Set(announced) }
  const undeclared = undeclaredOf(nats, scope)
  if (undeclared.length > 0) {
    throw new StartError(
      `service ${service} has a client for ${undeclared.join(', ')}: add the contract with it to \`calls\` of its module`,
    )
  }
  limitTo(nats, scope)
}
