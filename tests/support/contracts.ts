import type { BoundProcedure, Contract } from 'tsmicro/contract'
import { parseRoute, proceduresOf } from 'tsmicro/internal'

/** Every procedure of every contract that the given modules export, so that none can be forgotten. */
export function proceduresIn(...modules: readonly Readonly<Record<string, unknown>>[]): readonly BoundProcedure[] {
  const contracts = modules.flatMap(module => Object.values(module).filter(isContract))
  return contracts.flatMap(proceduresOf)
}

function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  const members = Object.values(value)
  return members.length > 0 && members.every(member => member?.kind === 'procedure' || member?.kind === 'event')
}

/** Ids that match the schemas, but of things that do not exist. */
const NOBODY: Readonly<Record<string, string>> = { auth: '00000000-0000-4000-8000-000000000000', blog: '0'.repeat(24) }

/** A request of a procedure at its service or, below a prefix, at the gateway: `PUT /blog/author/submit/id/0000…`. */
export function routeOf({ http, service }: BoundProcedure, prefix = ''): string {
  const { method, path } = parseRoute(http ?? '')
  return `${method} ${prefix}${path.replaceAll(/:[^/]+/g, NOBODY[service] ?? '')}`
}
