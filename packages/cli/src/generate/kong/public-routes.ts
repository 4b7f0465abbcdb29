import { type BoundProcedure, frameworkErrors } from 'tsmicro/contract'
import { contractsIn, kindOfBody, mostFileBytes, parseRoute, proceduresOf } from 'tsmicro/internal'

/** What an API key must permit for a route; undefined = open to everybody. */
type Permission = 'READ' | 'WRITE' | undefined

/** One way into a service that the gateway makes public. */
export interface PublicRoute {
  /** Unique in the platform: `blog.findBySlug`. */
  readonly name: string
  readonly method: string
  /** As the service knows it: `/slug/:slug`. */
  readonly path: string
  readonly permission: Permission
  /**
   * Whether a gateway must not retry it when the first attempt went unanswered. Gateways retry GET, PUT and DELETE by themselves: a
   * GET unless its contract says `idempotent: false`, the others only with `idempotent: true`. This does not concern POST and PATCH,
   * which gateways retry only if nothing was sent yet.
   */
  readonly sentOnce: boolean
  /** For an answer that is a file or a stream: milliseconds that a gateway waits for its next byte. Undefined for other answers. */
  readonly streamedMs?: number | undefined
  /**
   * Kong's `regex_priority`, for a route that matches requests of another one as well (`/thing/stream`, `/thing/:id`): the gateway then takes
   * the same one as the service, which may stand in another of its services. Undefined for all others.
   */
  readonly priority?: number | undefined
  /** The most bytes of a body with files. Undefined for other bodies, which the service itself limits. */
  readonly uploadBytes?: number | undefined
  /** Whether the gateway limits how often an address may ask: its contract declares `TOO_MANY_REQUESTS`. */
  readonly limited?: boolean
}

/** A service, and what `/blog` is to it. */
export interface PublicService {
  readonly name: string
  /** Where it listens, for a file that does not have it yet: host (default its name) and port (default 80). */
  readonly host?: string
  readonly port?: number
  /** In front of every public path; the service does not see it. */
  readonly prefix: string
  /** Whatever a contract's module exports. */
  readonly exported: object
}

/** What every service of the framework has beside its contracts. Health is for whoever has no key: balancers, monitors. */
const BUILTIN: readonly Omit<PublicRoute, 'name'>[] = [
  { method: 'GET', path: '/health', permission: undefined, sentOnce: false },
  { method: 'GET', path: '/health/ready', permission: 'READ', sentOnce: false },
  { method: 'GET', path: '/openapi.json', permission: 'READ', sentOnce: false },
]

/** What nginx repeats, and so Kong. */
const REPEATED: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE'])

/**
 * Everything of a service that is reachable from outside. `internal` procedures and those without an HTTP door are not
 * among it.
 *
 * @throws {Error} when two routes match the same request and ask for different permissions: Kong might take either
 */
export function publicRoutesOf({ name: service, exported }: PublicService): readonly PublicRoute[] {
  const builtin = BUILTIN.map(route => ({ ...route, name: `${service}${route.path.replaceAll('/', '.')}` }))
  const routes = [...publicProceduresOf(exported).map(routeOf), ...builtin]
  // Open ones last: who reads the file for what guards a service finds it in its first route.
  const guarded = routes.filter(({ permission }) => permission !== undefined)
  const all = [...guarded, ...routes.filter(route => !guarded.includes(route))]
  refuseAmbiguous(all)
  return all.map(route => {
    const isAlone = all.every(other => other === route || !overlap(route, other))
    return isAlone ? route : { ...route, priority: priorityOf(route) }
  })
}

/**
 * The paths of a service by what OPTIONS requires there: nothing if everything there is open, else a key to READ. Kong's `cors` answers
 * preflights before keys are checked, but only where a route matches OPTIONS.
 */
export function optionsPathsOf(routes: readonly PublicRoute[]): { readonly read: string[]; readonly open: string[] } {
  const isOpen = (route: PublicRoute) =>
    routes.every(other => other.permission === undefined || !matchSamePaths(route, other))
  const pathsOf = (some: readonly PublicRoute[]) => [...new Set(some.map(({ path }) => path))]
  return { read: pathsOf(routes.filter(route => !isOpen(route))), open: pathsOf(routes.filter(isOpen)) }
}

/** The service takes the route whose first segment that differs is not a parameter: the earlier a segment, the more it counts. */
function priorityOf({ path }: Pick<PublicRoute, 'path'>): number {
  return path.split('/').reduce((sum, segment) => sum * 2 + (segment.startsWith(':') ? 0 : 1), 0)
}

/** Four comment lines of a stream, which come every 15 s. */
const SILENCE_MS = 60_000
/** What a service has for its answer's first byte, unless the procedure says otherwise, and what the gateway waits beyond. */
const [HANDLER_MS, MARGIN_MS] = [10_000, 5000]
/** The fields of a form and the lines between its parts. */
const FORM_BYTES = 1024 * 1024

function routeOf(procedure: BoundProcedure): PublicRoute {
  const { service, name, http, access, idempotent, input, output, errors = {}, timeoutMs = HANDLER_MS } = procedure
  const { method, path } = parseRoute(http ?? '')
  const fileBytes = mostFileBytes(input)
  const sentOnce = REPEATED.has(method) && !(idempotent ?? method === 'GET')
  const permission = access === 'open' ? undefined : method === 'GET' ? 'READ' : 'WRITE'
  return {
    ...{ name: `${service}.${name}`, method, path, permission, sentOnce },
    streamedMs: kindOfBody(output) && Math.max(SILENCE_MS, timeoutMs + MARGIN_MS),
    uploadBytes: fileBytes && (kindOfBody(input) === 'file' ? fileBytes : fileBytes + FORM_BYTES),
    limited: Object.values(errors).some(error => error === frameworkErrors.TOO_MANY_REQUESTS),
  }
}

/** The procedures with an HTTP door that are not `internal`, of all contracts that a module exports. */
export function publicProceduresOf(exported: object): readonly BoundProcedure[] {
  return contractsIn(exported)
    .flatMap(proceduresOf)
    .filter(({ http, access }) => http !== undefined && access !== 'internal')
}

function refuseAmbiguous(routes: readonly PublicRoute[]): void {
  for (const [index, one] of routes.entries()) {
    const other = routes.slice(index + 1).find(each => each.permission !== one.permission && overlap(one, each))
    if (other)
      throw new Error(
        `${one.name} and ${other.name} match the same requests but need different permissions: rename one`,
      )
  }
}

function overlap(one: PublicRoute, other: PublicRoute): boolean {
  return one.method === other.method && matchSamePaths(one, other)
}

/** Whether some path matches both. */
function matchSamePaths(one: PublicRoute, other: PublicRoute): boolean {
  const [left, right] = [one.path.split('/'), other.path.split('/')]
  if (left.length !== right.length) return false
  return left.every((segment, i) => segment === right[i] || segment.startsWith(':') || right[i]?.startsWith(':'))
}
