import { type Contract, type EventDefinition, eventsOf, type NatsAccess } from '../contract/index.ts'
import type { Module } from './module.ts'

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
