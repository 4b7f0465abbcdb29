import type { RouteConfig } from '../config/model.ts'
import { type HostMatcher, hostMatcher } from './host-pattern.ts'
import { matchPath, type PathPattern, pathPattern } from './path-pattern.ts'
import { byPriority, priorityOf } from './priority.ts'

export interface Match<T> {
  readonly value: T
  /** The matched part of the path; undefined when the route has no paths. */
  readonly prefix: string | undefined
}

interface Entry<T> {
  readonly value: T
  readonly pattern: PathPattern | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly hosts: readonly HostMatcher[] | undefined
  readonly priority: readonly number[]
}

/** Finds the route of a request. The table is sorted once; the first entry that matches wins. Ties keep the config's order. */
export class Router<T> {
  readonly #entries: readonly Entry<T>[]

  constructor(routes: Iterable<readonly [RouteConfig, T]>) {
    const entries: Entry<T>[] = []
    for (const [route, value] of routes) entries.push(...entriesOf(route, value))
    this.#entries = entries.sort((a, b) => byPriority(a.priority, b.priority))
  }

  /** `host`: lower case, without port. `path`: normalized. */
  match(method: string, host: string, path: string): Match<T> | undefined {
    for (const entry of this.#entries) {
      if (entry.methods !== undefined && !entry.methods.has(method)) continue
      if (entry.hosts !== undefined && !entry.hosts.some(matches => matches(host))) continue
      if (entry.pattern === undefined) return { value: entry.value, prefix: undefined }
      const prefix = matchPath(entry.pattern, path)
      if (prefix !== undefined) return { value: entry.value, prefix }
    }
    return undefined
  }
}

/** One entry per path, as in Kong: each path of a route has its own place in the order. */
function entriesOf<T>(route: RouteConfig, value: T): Entry<T>[] {
  const patterns = route.paths?.map((path, index) => pathPattern(path, `${route.place}.paths[${index}]`))
  return (patterns ?? [undefined]).map(pattern => ({
    value,
    pattern,
    methods: route.methods && new Set(route.methods),
    hosts: route.hosts?.map(hostMatcher),
    priority: priorityOf(route, pattern),
  }))
}
