import type { BoundProcedure, Contract } from './contract.ts'
import type { EventDefinition } from './event.ts'

/** The procedures of a contract, in the order in which they were declared. */
export function proceduresOf(contract: Contract): readonly BoundProcedure[] {
  return Object.values(contract).filter((member): member is BoundProcedure => member.kind === 'procedure')
}

/** The same by the keys under which this contract has them: `{ check: validation.validateRole }` is a contract, too. */
export function entriesOf(contract: Contract): readonly (readonly [string, BoundProcedure])[] {
  return Object.entries(contract).filter((entry): entry is [string, BoundProcedure] => entry[1].kind === 'procedure')
}

/** The events of a contract, in the order in which they were declared. */
export function eventsOf(contract: Contract): readonly EventDefinition[] {
  return Object.values(contract).filter((member): member is EventDefinition => member.kind === 'event')
}
