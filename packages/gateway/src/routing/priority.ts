import type { RouteConfig } from '../config/model.ts'
import type { PathPattern } from './path-pattern.ts'

/** Kong has eight bits for their number. */
const MAX_HEADERS = 255

/**
 * Kong's order of routes (`traditional_compatible`), most important first: number of attribute kinds, all hosts plain, number of
 * header names, regex over prefix, regex_priority, longest prefix. Compared element by element, higher first.
 */
export function priorityOf(route: RouteConfig, pattern: PathPattern | undefined): readonly number[] {
  const kinds = [route.paths, route.methods, route.hosts, route.headers].filter(list => list !== undefined).length
  const plainHosts = route.hosts !== undefined && !route.hosts.some(host => host.includes('*'))
  const isRegex = pattern?.kind === 'regex'
  return [
    kinds,
    plainHosts ? 1 : 0,
    Math.min(route.headers?.length ?? 0, MAX_HEADERS),
    isRegex ? 1 : 0,
    isRegex ? route.regexPriority : 0,
    pattern?.kind === 'prefix' ? pattern.prefix.length : 0,
  ]
}

export interface Placed {
  readonly priority: readonly number[]
  /** Undefined when the route has no name: Kong draws its id at random then. */
  readonly id: string | undefined
}

/** Of equal priority, the higher id comes first; those without keep their order, after the others. */
export function byPriority(a: Placed, b: Placed): number {
  for (const [i, priority] of a.priority.entries()) {
    const difference = (b.priority[i] ?? 0) - priority
    if (difference !== 0) return difference
  }
  if (a.id === b.id) return 0
  return a.id === undefined || (b.id !== undefined && a.id < b.id) ? 1 : -1
}
