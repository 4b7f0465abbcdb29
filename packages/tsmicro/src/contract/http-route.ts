/** Methods that a procedure may have; HEAD and OPTIONS are the server's business. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Method and path, e.g. `GET /slug/:slug`. Parameters are whole segments. */
export type HttpRoute = `${HttpMethod} /${string}`

export interface ParsedRoute {
  readonly method: HttpMethod
  readonly path: string
  /** Names of the path's parameters, in order. */
  readonly params: readonly string[]
}

const ROUTE = /^(GET|POST|PUT|PATCH|DELETE) (\/[A-Za-z0-9\-._~/:]*)$/

/** @throws {TypeError} when the route is not `METHOD /path/:param` */
export function parseRoute(route: string): ParsedRoute {
  const [, method, path] = ROUTE.exec(route) ?? []
  if (!method || !path) throw new TypeError(`route ${JSON.stringify(route)}: write it as "GET /path/:param"`)
  const segments = path.split('/').slice(1)
  const params = segments.filter(segment => segment.startsWith(':')).map(segment => segment.slice(1))
  if (segments.some(segment => segment.slice(1).includes(':')) || params.includes('')) {
    throw new TypeError(`route ${JSON.stringify(route)}: a parameter is a whole segment, like /:id`)
  }
  if (new Set(params).size !== params.length)
    throw new TypeError(`route ${JSON.stringify(route)} names a parameter twice`)
  return { method: method as HttpMethod, path, params }
}

/** True for methods whose input comes in the query rather than in a body. */
export function hasNoBody(method: HttpMethod): boolean {
  return method === 'GET' || method === 'DELETE'
}
