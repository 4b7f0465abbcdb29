import { createHash } from 'node:crypto'
import type { RouteConfig } from '../config/model.ts'
import { type PathPattern, pathPattern } from './patterns.ts'

const MAX_HEADERS = 255
const MAX_LENGTH = 0x7ffff
const PLAIN_HOSTS = 1n << 60n
const REGEX = 1n << 51n

/**
 * Kong's order of routes (`traditional_compatible`): the higher number comes first. This is not the documented order. Kong makes a
 * 64-bit number, but shifts some of its parts in 32 bits, where 61 becomes 29 and 52 becomes 20. The actual order is, most important
 * first: all four kinds of attributes (whose sign fills the upper half), all hosts plain, a regular expression, the number of kinds,
 * the number of header names combined with `regex_priority` by a bitwise or, the length of the prefix. A real Kong 3.9.1 agrees:
 * tests/data/kong-routing-3.9.1.json.
 */
export function priorityOf(route: RouteConfig, pattern: PathPattern | undefined): bigint {
  const { kinds, plainHosts, isRegex, headers } = attributesOf(route, pattern)
  const shifted = (kinds << 29) | (Math.min(headers, MAX_HEADERS) << 20) | (isRegex ? route.regexPriority << 19 : 0)
  const length = pattern?.kind === 'prefix' ? pattern.prefix.length & MAX_LENGTH : 0
  const whole = BigInt(shifted) | (plainHosts ? PLAIN_HOSTS : 0n) | (isRegex ? REGEX : 0n) | BigInt(length)
  return BigInt.asUintN(64, whole)
}

function attributesOf(route: RouteConfig, pattern: PathPattern | undefined) {
  return {
    kinds: [route.paths, route.methods, route.hosts, route.headers].filter(list => list !== undefined).length,
    plainHosts: route.hosts !== undefined && !hasWildcard(route),
    isRegex: pattern?.kind === 'regex',
    headers: route.headers?.length ?? 0,
  }
}

function hasWildcard({ hosts = [] }: RouteConfig): boolean {
  return hosts.some(host => host.includes('*'))
}

export interface Ordered {
  readonly priority: bigint
  /** Undefined for a route without a name, whose id is random in Kong. */
  readonly id: string | undefined
}

/** Among equal priorities, the higher id comes first. Routes without an id come last, in the order of the config. */
export function byPriority(a: Ordered, b: Ordered): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1
  if (a.id === b.id) return 0
  return a.id === undefined || (b.id !== undefined && a.id < b.id) ? 1 : -1
}

/** Kong's namespaces for the ids of entities of a declarative config, and of the parts of a route. */
const ENTITIES = 'fd02801f-0957-4a15-a55a-c8d9606f30b5'
const PARTS = '7f145bf9-0dce-4f91-98eb-debbce4b9f6b'

/** The id that a DB-less Kong gives a route of this name: a UUID of version 5. */
export function routeId(name: string): string {
  return uuidV5(ROUTES, name)
}

/** The id of one part of a route whose paths have several places in the order. The first part is 1. */
export function routePartId(id: string, part: number): string {
  return uuidV5(PARTS, `${id}#${part}`)
}

/** RFC 9562, 5.5. */
function uuidV5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const ROUTES = uuidV5(ENTITIES, 'routes')

interface GuardedRoute {
  readonly route: RouteConfig
  /** The credentials that its plugins require. */
  readonly needs: readonly string[]
}

/** One path of a route, with its position in both orders. */
interface OrderedPath {
  readonly route: RouteConfig
  readonly access: string
  readonly pattern: PathPattern | undefined
  readonly actual: bigint
  readonly documented: readonly number[]
}

/**
 * Finds routes that come before one with other access which Kong's documentation puts first: requests that match both are not checked as
 * the author of the config expects. Returns one line for each pair of routes.
 */
export function shadowedGuards(routes: readonly GuardedRoute[]): string[] {
  const paths = routes.flatMap(pathsOf)
  const lines = paths.flatMap(first =>
    paths
      .filter(second => first.access !== second.access && first.actual > second.actual)
      .filter(second => isBefore(second, first) && overlap(first, second))
      .map(
        second =>
          `route "${first.route.name}" ${first.access} and comes before "${second.route.name}", which ${second.access} and which Kong's documentation puts first: requests that match both are checked like "${first.route.name}", here as in Kong 3.9`,
      ),
  )
  return [...new Set(lines)]
}

function pathsOf({ route, needs }: GuardedRoute): OrderedPath[] {
  const patterns = route.paths?.map((path, index) => pathPattern(path, `${route.place}.paths[${index}]`)) ?? [undefined]
  return patterns.map(pattern => ({
    route,
    access: needs.length === 0 ? 'is open' : `needs ${needs.join(' and ')}`,
    pattern,
    actual: priorityOf(route, pattern),
    documented: documentedOrder(route, pattern),
  }))
}

/** The criteria in Kong's documentation, most important first. */
function documentedOrder(route: RouteConfig, pattern: PathPattern | undefined): readonly number[] {
  const { kinds, plainHosts, isRegex, headers } = attributesOf(route, pattern)
  return [kinds, plainHosts ? 1 : 0, headers, isRegex ? 1 : 0, isRegex ? route.regexPriority : 0]
}

function isBefore(a: OrderedPath, b: OrderedPath): boolean {
  const at = a.documented.findIndex((value, index) => value !== b.documented[index])
  return at !== -1 && (a.documented[at] ?? 0) > (b.documented[at] ?? 0)
}

/** Whether some request may match both; true in case of doubt. */
function overlap(a: OrderedPath, b: OrderedPath): boolean {
  const [left, right] = [a.pattern?.prefix ?? '', b.pattern?.prefix ?? '']
  return (
    (left.startsWith(right) || right.startsWith(left)) &&
    share(a.route.methods, b.route.methods) &&
    (hasWildcard(a.route) || hasWildcard(b.route) || share(a.route.hosts, b.route.hosts))
  )
}

function share(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some(each => b.includes(each))
}
