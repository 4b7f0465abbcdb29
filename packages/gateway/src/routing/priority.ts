import type { RouteConfig } from '../config/model.ts'
import type { PathPattern } from './path-pattern.ts'

const MAX_HEADERS = 255
const MAX_LENGTH = 0x7ffff
const PLAIN_HOSTS = 1n << 60n
const REGEX = 1n << 51n

/**
 * Kong's order of routes (`traditional_compatible`): the higher number comes first. Not as it is documented: Kong makes a number of
 * 64 bits, but shifts some of its parts in 32, where 61 is 29 and 52 is 20. So it is in fact, most important first: all four kinds
 * of attributes (whose sign fills the upper half), all hosts plain, a regular expression, the number of kinds, that of header names
 * with `regex_priority` or-ed into it, the length of the prefix. A real Kong 3.9.1 agrees: tests/data/kong-routing-3.9.1.json.
 */
export function priorityOf(route: RouteConfig, pattern: PathPattern | undefined): bigint {
  const kinds = [route.paths, route.methods, route.hosts, route.headers].filter(list => list !== undefined).length
  const plainHosts = route.hosts !== undefined && !route.hosts.some(host => host.includes('*'))
  const isRegex = pattern?.kind === 'regex'
  const headers = Math.min(route.headers?.length ?? 0, MAX_HEADERS)
  const shifted = (kinds << 29) | (headers << 20) | (isRegex ? route.regexPriority << 19 : 0)
  const length = pattern?.kind === 'prefix' ? pattern.prefix.length & MAX_LENGTH : 0
  const whole = BigInt(shifted) | (plainHosts ? PLAIN_HOSTS : 0n) | (isRegex ? REGEX : 0n) | BigInt(length)
  return BigInt.asUintN(64, whole)
}

export interface Placed {
  readonly priority: bigint
  /** Undefined when the route has no name: Kong draws its id at random then. */
  readonly id: string | undefined
}

/** Of equal priority, the higher id comes first; those without keep their order, after the others. */
export function byPriority(a: Placed, b: Placed): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1
  if (a.id === b.id) return 0
  return a.id === undefined || (b.id !== undefined && a.id < b.id) ? 1 : -1
}
