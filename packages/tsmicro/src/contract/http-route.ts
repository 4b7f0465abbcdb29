/** Methods that a procedure may have; the server itself answers HEAD and OPTIONS. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Method and path, e.g. `GET /slug/:slug`. Parameters are whole segments. If there is a body, the route names the fields that come in the
 * query: `PUT /blogs/:id?notify&dry`.
 */
export type HttpRoute = `${HttpMethod} /${string}`

export interface ParsedRoute {
  readonly method: HttpMethod
  readonly path: string
  /** Names of the path's parameters, in order. */
  readonly params: readonly string[]
  /**
   * Names of the fields that come in the query although there is a body. Without a body, all fields that are not in the path come in the
   * query.
   */
  readonly query: readonly string[]
}

const ROUTE = /^(GET|POST|PUT|PATCH|DELETE) (\/[A-Za-z0-9\-._~/:]*)(?:\?([A-Za-z0-9\-._~]+(?:&[A-Za-z0-9\-._~]+)*))?$/

/** In Fastify, a `-` or a `.` would end the name. */
const PARAM = /^\w+$/

/** The parts of a route that was checked when its contract was made. */
export function partsOfRoute(route: string): ParsedRoute {
  const [method, path = '', query] = route.split(/[ ?]/)
  const params = path.split('/').filter(segment => segment.startsWith(':'))
  return {
    method: method as HttpMethod,
    path,
    params: params.map(segment => segment.slice(1)),
    query: query?.split('&') ?? [],
  }
}

/** @throws {TypeError} when the route is not `METHOD /path/:param` or `METHOD /path/:param?field&field` */
export function parseRoute(route: string): ParsedRoute {
  const parts = partsOfRoute(route)
  const { method, path, params, query } = parts
  if (!ROUTE.test(route))
    throw new TypeError(`route ${JSON.stringify(route)}: write it as "GET /path/:param" or "PUT /path/:param?field"`)
  if (/[^/]:/.test(path) || !params.every(name => PARAM.test(name))) {
    throw new TypeError(
      `route ${JSON.stringify(route)}: a parameter is a whole segment, like /:id, and its name has only letters, digits and _`,
    )
  }
  if (new Set([...params, ...query]).size !== params.length + query.length)
    throw new TypeError(`route ${JSON.stringify(route)} names a parameter twice`)
  if (query.length > 0 && hasNoBody(method))
    throw new TypeError(
      `route ${JSON.stringify(route)}: all fields of a ${method} that are not in the path come in the query, name none`,
    )
  return parts
}

/** True for methods whose input comes in the query instead of a body. */
export function hasNoBody(method: HttpMethod): boolean {
  return method === 'GET' || method === 'DELETE'
}
