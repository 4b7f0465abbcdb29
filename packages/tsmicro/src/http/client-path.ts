import type { ParsedRoute } from '../contract/index.ts'
import { refusal, textOf } from './client-text.ts'

/**
 * A route's path with its parameters filled in. A URL has no way to write a segment that is empty, `.` or `..`, percent-encoded
 * or not: it would address another resource.
 */
export function pathOf(route: ParsedRoute, params: Readonly<Record<string, unknown>>): string {
  return route.path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    const value = textOf(params[name] ?? '', `params/${name}`)
    if (value === '' || value === '.' || value === '..')
      throw refusal(`params/${name}`, 'cannot be a segment of a path')
    return encodeURIComponent(value)
  })
}
