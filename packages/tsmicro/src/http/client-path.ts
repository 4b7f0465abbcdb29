import type { ParsedRoute } from '../contract/index.ts'
import { VALIDATION_FAILED } from '../errors/index.ts'

/**
 * A route's path with its parameters filled in. A URL has no way to write a segment that is empty, `.` or `..`, percent-encoded
 * or not: it would address another resource.
 */
export function pathOf(route: ParsedRoute, params: Readonly<Record<string, unknown>>): string {
  return route.path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    const value = String(params[name] ?? '')
    if (value === '' || value === '.' || value === '..' || !value.isWellFormed()) {
      throw new VALIDATION_FAILED([{ path: `params/${name}`, message: 'cannot be a segment of a path' }])
    }
    return encodeURIComponent(value)
  })
}
