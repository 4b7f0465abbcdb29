import type { RouteConfig } from '../config/model.ts'
import { type PathPattern, pathPattern } from './path-pattern.ts'
import { priorityOf } from './priority.ts'

/** A route, and whether a plugin asks whoever comes that way for something. */
export interface Watched {
  readonly route: RouteConfig
  readonly guarded: boolean
}

/** One path of a route, with its place in both orders. */
interface Place extends Watched {
  readonly pattern: PathPattern | undefined
  readonly actual: bigint
  readonly documented: readonly number[]
}

/**
 * Where a route without a guard comes before a guarded one that Kong's documentation puts first: requests that its author meant to be
 * checked pass. One line for each pair of routes.
 */
export function overtaking(routes: readonly Watched[]): string[] {
  const places = routes.flatMap(placesOf)
  const [guarded, open] = [places.filter(place => place.guarded), places.filter(place => !place.guarded)]
  const lines = open.flatMap(first =>
    guarded
      .filter(second => first.actual > second.actual && isBefore(second, first) && overlap(first, second))
      .map(
        second =>
          `route "${first.route.name}" is open and comes before "${second.route.name}", which is guarded and which Kong's documentation puts first: requests that match both pass unchecked, here as in Kong 3.9`,
      ),
  )
  return [...new Set(lines)]
}

function placesOf({ route, guarded }: Watched): Place[] {
  const patterns = route.paths?.map((path, index) => pathPattern(path, `${route.place}.paths[${index}]`)) ?? [undefined]
  return patterns.map(pattern => ({
    route,
    guarded,
    pattern,
    actual: priorityOf(route, pattern),
    documented: documentedOrder(route, pattern),
  }))
}

/** What Kong's documentation tells, most important first. */
function documentedOrder(route: RouteConfig, pattern: PathPattern | undefined): readonly number[] {
  const kinds = [route.paths, route.methods, route.hosts, route.headers].filter(list => list !== undefined).length
  const plainHosts = route.hosts !== undefined && !route.hosts.some(host => host.includes('*'))
  const isRegex = pattern?.kind === 'regex'
  return [kinds, plainHosts ? 1 : 0, route.headers?.length ?? 0, isRegex ? 1 : 0, isRegex ? route.regexPriority : 0]
}

function isBefore(a: Place, b: Place): boolean {
  const at = a.documented.findIndex((value, index) => value !== b.documented[index])
  return at !== -1 && (a.documented[at] ?? 0) > (b.documented[at] ?? 0)
}

/** Whether some request may match both; rather once too often. */
function overlap(a: Place, b: Place): boolean {
  const [left, right] = [a.pattern?.prefix ?? '', b.pattern?.prefix ?? '']
  return (
    (left.startsWith(right) || right.startsWith(left)) &&
    share(a.route.methods, b.route.methods) &&
    (hasWildcard(a.route) || hasWildcard(b.route) || share(a.route.hosts, b.route.hosts))
  )
}

function hasWildcard({ hosts = [] }: RouteConfig): boolean {
  return hosts.some(host => host.includes('*'))
}

function share(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some(each => b.includes(each))
}
