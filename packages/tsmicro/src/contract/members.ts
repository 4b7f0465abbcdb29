import type { BoundProcedure, Contract } from './contract.ts'
import type { EventDefinition } from './event.ts'

export function proceduresOf(contract: Contract): readonly BoundProcedure[] {
  return Object.values(contract).filter((member): member is BoundProcedure => member.kind === 'procedure')
}

export function eventsOf(contract: Contract): readonly EventDefinition[] {
  return Object.values(contract).filter((member): member is EventDefinition => member.kind === 'event')
}
