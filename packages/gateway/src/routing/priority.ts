import type { RouteConfig } from '../config/model.ts'
import type { PathPattern } from './path-pattern.ts'

/**
 * Kong's order of routes, most important first: number of attribute kinds, all hosts plain, regex over prefix,
 * regex_priority, longest prefix. Compared element by element, higher first.
 */
export function priorityOf(route: RouteConfig, pattern: PathPattern | undefined): readonly number[] {
  const kinds = [route.paths, route.methods, route.hosts].filter(list => list !== undefined).length
  const plainHosts = route.hosts !== undefined && !route.hosts.some(host => host.includes('*'))
  const isRegex = pattern?.kind === 'regex'
  return [
    kinds,
    plainHosts ? 1 : 0,
    isRegex ? 1 : 0,
    isRegex ? route.regexPriority : 0,
    pattern?.kind === 'prefix' ? pattern.prefix.length : 0,
  ]
}

export function byPriority(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (b[i] ?? 0) - (a[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
