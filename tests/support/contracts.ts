import { type BoundProcedure, type Contract, proceduresOf } from 'tsmicro/contract'

/** Every procedure of every contract that some modules export, so that none can be forgotten. */
export function proceduresIn(...modules: readonly Readonly<Record<string, unknown>>[]): readonly BoundProcedure[] {
  const contracts = modules.flatMap(module => Object.values(module).filter(isContract))
  return contracts.flatMap(proceduresOf)
}

function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  const members = Object.values(value)
  return members.length > 0 && members.every(member => member?.kind === 'procedure' || member?.kind === 'event')
}
