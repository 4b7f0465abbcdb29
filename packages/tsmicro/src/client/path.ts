import type { ParsedRoute } from '../contract/index.ts'
import { refusal, textOf } from './text.ts'

/**
 * A route's path with its parameters filled in. A URL has no way to write a segment that is empty, `.` or `..`, percent-encoded
 * or not: it would address another resource.
 */
export function pathOf(route: ParsedRoute, fields: Readonly<Record<string, unknown>>): string {
  return route.path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    if (fields[name] === undefined) throw refusal(name, 'is missing: it is a part of the path')
    const value = textOf(fields[name], name)
    if (value === '' || value === '.' || value === '..') throw refusal(name, 'cannot be a segment of a path')
    return encodeURIComponent(value)
  })
}
